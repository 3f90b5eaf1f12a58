/** The package stays in node_modules, and Node imports it as it is: its threads and files are then where they are. */
export default { serverExternalPackages: ['fastcam'] };
