/** The version of the package. It is in the code because a single-file bundle has no package.json beside it. */
export const VERSION = '0.1.0';
