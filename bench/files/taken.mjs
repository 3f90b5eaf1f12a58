// Preloaded into a measured process (node --import). When the process ends, it writes into the file FASTCAM_BENCH_TAKEN the
// peak of its resident memory, with its threads, and the resident memory at each report, in bytes; and its CPU time in seconds.

import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

// It is also preloaded into threads.
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
