/**
 * The few string operations of Python that differ from JavaScript's. Scores are compared with sacreBLEU to the last
 * printed digit, so blanks, rounding and number printing have to be Python's.
 */

/** Whether a UTF-16 unit is white space to Python's `str.isspace`: U+001C..1F and U+0085 are, U+FEFF is not. */
function isSpace(code: number): boolean {
  if (code < 0x80) return code === 32 || (code >= 9 && code <= 13) || (code >= 28 && code <= 31);
  if (code < 0x1680) return code === 0x85 || code === 0xa0;
  if (code >= 0x2000 && code <= 0x200a) return true;
  return (
    code === 0x1680 ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000
  );
}

/** Words of a text, as Python's `str.split()`. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let start = -1;
  for (let i = 0; i < text.length; i++) {
    if (isSpace(text.charCodeAt(i))) {
      if (start >= 0) words.push(text.slice(start, i));
      start = -1;
    } else if (start < 0) start = i;
  }
  if (start >= 0) words.push(text.slice(start));
  return words;
}

/** A text without trailing blanks, as Python's `str.rstrip()`. */
export function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text.charCodeAt(end - 1))) end--;
  return end === text.length ? text : text.slice(0, end);
}

/** A text without blanks at either end, as Python's `str.strip()`. */
export function trim(text: string): string {
  let start = 0;
  while (start < text.length && isSpace(text.charCodeAt(start))) start++;
  return trimEnd(start ? text.slice(start) : text);
}

/** Code points of a text in order; blanks (Python's) are left out unless `keepSpaces`. */
export function codePoints(text: string, keepSpaces = true): number[] {
  const points: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const point = text.codePointAt(i)!;
    if (point > 0xffff) i++;
    if (keepSpaces || !isSpace(point)) points.push(point);
  }
  return points;
}

/**
 * A number with `digits` decimals, as Python's `f'{x:.{digits}f}'`. JavaScript's toFixed is exact too, but rounds a
 * tie away from zero where Python goes to the even digit: 6.25 becomes 6.2, and 1/16 is a common precision.
 *
 * @param value a finite number below 1e21
 * @param digits decimals, 0..100
 */
export function formatFixed(value: number, digits: number): string {
  const exact = value.toFixed(Math.min(100, digits + 40));
  const end = exact.indexOf('.') + (digits > 0 ? digits + 1 : 0);
  const kept = exact.slice(0, end);
  const dropped = exact.slice(end).replace('.', '');
  const tieToEven = /^50*$/.test(dropped) && Number(kept.at(-1)) % 2 === 0;
  return tieToEven ? kept : value.toFixed(digits);
}

/** A number as Python's `repr(float)` and its json print it: 100.0, 1e-05. */
export function formatFloat(value: number): string {
  const [mantissa, exponentText] = value.toExponential().split('e');
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 16) return Number.isInteger(value) ? `${value}.0` : String(value);
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}
