import express from 'express';
import { makePool } from 'fastcam/node';

const pool = await makePool({ size: 2 });
const app = express();

app.post('/explain', express.raw({ type: 'image/*', limit: '8mb' }), async (request, response) => {
  const { report } = await pool.explain(request.body);
  response.json({ label: report.top[0].label, backend: report.model.backend });
});
app.listen(process.env.PORT);
