import resolve from '@rollup/plugin-node-resolve';

export default {
  input: 'src/explain.js',
  plugins: [resolve()],
  output: ['es', 'iife', 'umd'].map((format) => ({
    file: `dist/explain.${format}.js`,
    format,
    name: 'explaining',
  })),
};
