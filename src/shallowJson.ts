/** Levels of lists and objects that any file of ours has, many times over. */
const deepest = 100;

/**
 * JSON of a file or an input. What is nested deeper than anything that is read is refused like a mistake of syntax: functions that go
 * through a value, JSON.stringify among them, would run out of stack.
 * @throws SyntaxError
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (isDeeper(value, deepest)) throw new SyntaxError(`it is nested more than ${deepest} levels deep`);
  return value;
}

/** Whether a value has more than so many levels, or holds itself. */
export function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}
