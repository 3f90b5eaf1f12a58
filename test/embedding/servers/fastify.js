import { makePool } from 'fastcam/node';
import fastify from 'fastify';

const pool = await makePool({ size: 2 });
const app = fastify({ bodyLimit: 2 ** 23 });

app.addContentTypeParser(/^image\//, { parseAs: 'buffer' }, async (_, body) => body);
app.post('/explain', async (request) => {
  const { report } = await pool.explain(request.body);
  return { label: report.top[0].label, backend: report.model.backend };
});
await app.listen({ port: process.env.PORT });
