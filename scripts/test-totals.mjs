// Prints the totals of vitest's JSON report, named by the only argument: `N passed, N failed`.
import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = report;
const skipped = numPendingTests + numTodoTests;
const tail = skipped > 0 ? `, ${skipped} skipped` : '';
console.log(`${numPassedTests} passed, ${numFailedTests} failed${tail}`);
