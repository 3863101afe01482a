/**
 * Sinusoidal positions as Marian lays them out: sines in the first half of the features, cosines in the second
 * (Vaswani et al. 2017, section 3.5, alternates them).
 * @returns [positions, features], row-major
 */
export function sinusoidalPositions(positions: number, features: number): Float32Array {
  const table = new Float32Array(positions * features);
  const half = Math.ceil(features / 2);
  for (let position = 0; position < positions; position++) {
    for (let feature = 0; feature < features; feature++) {
      const pair = feature < half ? feature : feature - half;
      const angle = position / 10000 ** ((2 * pair) / features);
      table[position * features + feature] = feature < half ? Math.sin(angle) : Math.cos(angle);
    }
  }
  return table;
}
