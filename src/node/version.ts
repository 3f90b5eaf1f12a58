/** The version of the package. In the code, because a bundle of one file has no package.json beside it. */
export const VERSION = '0.1.0';
