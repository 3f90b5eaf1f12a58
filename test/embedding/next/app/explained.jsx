'use client';

import { useEffect, useState } from 'react';

/** The worker is made in the browser alone: on the server there is none. */
export function Explained({ picture }) {
  const [text, setText] = useState('');
  useEffect(() => {
    import('./explain.js')
      .then(({ explain }) => explain(picture))
      .then(
        ({ top, backend, overlay }) =>
          setText(`${top[0].label}, ${backend}, ${overlay.width}×${overlay.height}`),
        (error) => setText(`failed: ${error.message}`),
      );
  }, [picture]);
  return <output id="result">{text}</output>;
}
