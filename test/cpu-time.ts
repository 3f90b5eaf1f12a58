/** Time that this process took of the processors, in milliseconds: a machine that does something else does not add to it. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
