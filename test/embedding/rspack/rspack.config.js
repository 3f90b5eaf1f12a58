export default { entry: './src/main.js', devtool: false };
