import { PolybeamError } from '../errors.js';

/** Numbers that a table of positions may have: 65,536 positions of 1,024 features, and 256 MiB. */
const largestTable = 2 ** 26;

/** A table of zeros. @throws CONFIG_INVALID for more than any model has, since nothing in a checkpoint bounds what is computed */
function emptyTable(positions: number, features: number): Float32Array {
  if (positions * features <= largestTable) return new Float32Array(positions * features);
  throw new PolybeamError(
    'CONFIG_INVALID',
    `A table of ${positions} positions of ${features} features is too large (${largestTable} numbers at most): ` +
      'correct max_position_embeddings in config.json.',
  );
}

/**
 * Sinusoidal positions in Marian's layout: sines in the first half of the features, cosines in the second
 * (Vaswani et al. 2017, section 3.5, alternates them).
 * @returns [positions, features], row-major
 */
export function sinusoidalPositions(positions: number, features: number): Float32Array {
  const table = emptyTable(positions, features);
  const half = Math.ceil(features / 2);
  const wavelengths = Array.from({ length: half }, (_, pair) => 10000 ** ((2 * pair) / features));
  for (let position = 0; position < positions; position++) {
    for (let feature = 0; feature < features; feature++) {
      const angle = position / wavelengths[feature < half ? feature : feature - half];
      table[position * features + feature] = feature < half ? Math.sin(angle) : Math.cos(angle);
    }
  }
  return table;
}

/**
 * Sinusoidal positions of tensor2tensor and fairseq: as `sinusoidalPositions`, but wavelengths reach 10000 * 2 pi at
 * the last pair.
 * @param zeroRow a row of zeros, for padding
 * @returns [positions, features], row-major
 */
export function tensorPositions(positions: number, features: number, zeroRow?: number): Float32Array {
  const table = emptyTable(positions, features);
  const half = Math.floor(features / 2);
  // In float32 step by step, as in PyTorch: angles of distant positions amplify rounding errors.
  const decay = Math.fround(-Math.log(10000) / (half - 1));
  for (let pair = 0; pair < half; pair++) {
    const frequency = Math.fround(Math.exp(Math.fround(pair * decay)));
    for (let position = 0; position < positions; position++) {
      if (position === zeroRow) continue;
      const angle = Math.fround(position * frequency);
      table[position * features + pair] = Math.sin(angle);
      table[position * features + half + pair] = Math.cos(angle);
    }
  }
  return table;
}

/**
 * Sinusoidal positions as Vaswani et al. 2017, section 3.5, write them: sines and cosines alternate.
 * @returns [positions, features], row-major
 */
export function alternatingPositions(positions: number, features: number): Float32Array {
  const table = emptyTable(positions, features);
  for (let position = 0; position < positions; position++) {
    for (let feature = 0; feature < features; feature++) {
      const angle = position / 10000 ** ((2 * Math.floor(feature / 2)) / features);
      table[position * features + feature] = feature % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
    }
  }
  return table;
}
