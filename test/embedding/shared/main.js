import { explain } from './explain.js';

const result = document.querySelector('#result');
explain('cat.png').then(
  ({ top, backend, overlay }) => {
    result.textContent = `${top[0].label}, ${backend}, ${overlay.width}×${overlay.height}`;
  },
  (error) => {
    result.textContent = `failed: ${error.message}`;
  },
);
