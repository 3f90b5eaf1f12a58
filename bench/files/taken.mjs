// Preloaded into a measured process (node --import): as it ends it writes into the file FASTCAM_BENCH_TAKEN what was resident at
// most, with its threads, and what was as each report was told, in bytes; and the processors' time that it took, in seconds.

import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

// Threads are started with it, too.
if (isMainThread) {
  const atReports = [];
  const { stdout } = process;
  const write = stdout.write.bind(stdout);
  // With --json each report is one line, and one call.
  stdout.write = (...text) => {
    atReports.push(process.memoryUsage.rss());
    return write(...text);
  };
  process.on('exit', () => {
    const peak = 1024 * process.resourceUsage().maxRSS;
    const { user, system } = process.cpuUsage();
    const taken = { peak, atReports, cpuSeconds: (user + system) / 1e6 };
    writeFileSync(process.env.FASTCAM_BENCH_TAKEN, JSON.stringify(taken));
  });
}
