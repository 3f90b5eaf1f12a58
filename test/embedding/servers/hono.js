import { serve } from '@hono/node-server';
import { makePool } from 'fastcam/node';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';

const pool = await makePool({ size: 2 });
const app = new Hono();

app.post('/explain', bodyLimit({ maxSize: 2 ** 23 }), async (c) => {
  const { report } = await pool.explain(new Uint8Array(await c.req.arrayBuffer()));
  return c.json({ label: report.top[0].label, backend: report.model.backend });
});
serve({ fetch: app.fetch, port: Number(process.env.PORT) });
