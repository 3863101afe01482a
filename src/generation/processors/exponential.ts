/** Parts of a power of two that the table has; exp is a polynomial in between. */
const parts = 2048;
const partBits = 11;
const partsPerUnit = parts / Math.LN2;
const unit = Math.LN2 / parts;
const fractions = new Float64Array(parts).map((_, part) => 2 ** (part / parts));
const negativePowers = new Float64Array(1076).map((_, power) => 2 ** -power);

/**
 * exp(x) for x of at most 0, to some 1e-12 of its value; 0 where that is below the smallest number.
 *
 * Made of sums, products and tables, it is faster than `Math.exp`, which a whole vocabulary at every step makes felt, and it is
 * the same on every machine, where the language leaves `Math.exp` to the engine: same seed, same sample.
 */
export function exponential(x: number): number {
  if (!(x > -745)) return x <= -745 ? 0 : Number.NaN;
  const part = Math.floor(x * partsPerUnit + 0.5) | 0;
  const rest = x - part * unit;
  const near = 1 + rest * (1 + rest * 0.5);
  return negativePowers[-(part >> partBits)] * (fractions[part & (parts - 1)] * near);
}
