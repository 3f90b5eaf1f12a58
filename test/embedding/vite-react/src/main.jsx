import { StrictMode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { explain } from './explain.js';

function Explained({ picture }) {
  const [text, setText] = useState('');
  useEffect(() => {
    explain(picture).then(
      ({ top, backend, overlay }) =>
        setText(`${top[0].label}, ${backend}, ${overlay.width}×${overlay.height}`),
      (error) => setText(`failed: ${error.message}`),
    );
  }, [picture]);
  return <output id="result">{text}</output>;
}

createRoot(document.querySelector('#root')).render(
  <StrictMode>
    <Explained picture="cat.png" />
  </StrictMode>,
);
