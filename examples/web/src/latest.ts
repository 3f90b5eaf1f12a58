/** Memory of one: the way in which this page redoes only what a control has changed. */

/** `make`, but the result is kept, and made anew only when an argument is another than last time. */
export function latest<Arguments extends readonly unknown[], Result>(
  make: (...args: Arguments) => Result,
): (...args: Arguments) => Result {
  let kept: { readonly args: Arguments; readonly result: Result } | undefined;
  return (...args) => {
    if (!kept || args.some((argument, i) => !Object.is(argument, kept!.args[i]))) {
      kept = { args, result: make(...args) };
    }
    return kept.result;
  };
}
