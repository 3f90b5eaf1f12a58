/** Time that this process took of the processors, in milliseconds: a machine that does something else does not add to it. */
export const cpuMs = (): number => process.cpuUsage().user / 1000;
