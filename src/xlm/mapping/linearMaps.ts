import { EigenvalueDecomposition, Matrix, SingularValueDecomposition } from 'ml-matrix';
import { PolybeamError } from '../../errors.js';
import type { VectorRows } from '../vectors/vectorRows.js';

/** Sums over the pairs of a dictionary, x being the source's vectors and z the target's. All [size, size], row by row. */
export interface DictionaryProducts {
  /** x^T x */
  source: Float64Array;
  /** z^T z */
  target: Float64Array;
  /** x^T z */
  cross: Float64Array;
}

/**
 * The rotation (perhaps with a reflection) of the source that brings the pairs of a dictionary closest together: U V^T of the
 * singular value decomposition of x^T z (Procrustes; Xing et al. 2015).
 * @param cross x^T z [size, size]
 * @returns [size, size]; x times it is near z
 */
export function orthogonalMap(cross: Float64Array, size: number): VectorRows {
  const decomposition = new SingularValueDecomposition(matrixOf(cross, size));
  return rowsOfMatrix(decomposition.leftSingularVectors.mmul(decomposition.rightSingularVectors.transpose()));
}

/**
 * Both sides' maps with symmetric re-weighting (Artetxe et al. 2018, AAAI, "Generalizing and improving bilingual word embedding
 * mappings with a multi-step framework of linear transformations"): each side is whitened, rotated onto the axes of the singular
 * value decomposition of their cross-covariance, its features multiplied by the singular values to the power `reweight`, and its own
 * whitening undone.
 * @returns [size, size] each
 * @throws INPUT_INVALID where the pairs have fewer independent vectors than features, since such cannot be whitened
 */
export function symmetricMaps(
  products: DictionaryProducts,
  size: number,
  reweight: number,
): { source: VectorRows; target: VectorRows } {
  const source = whitening(products.source, size);
  const target = whitening(products.target, size);
  const whitened = source.whiten.mmul(matrixOf(products.cross, size)).mmul(target.whiten);
  const decomposition = new SingularValueDecomposition(whitened);
  const weights = Matrix.diag(decomposition.diagonal.map((value) => value ** reweight));
  const mapOf = ({ whiten, undo }: Whitening, rotate: Matrix) =>
    rowsOfMatrix(whiten.mmul(rotate).mmul(weights).mmul(rotate.transpose().mmul(undo).mmul(rotate)));
  return {
    source: mapOf(source, decomposition.leftSingularVectors),
    target: mapOf(target, decomposition.rightSingularVectors),
  };
}

/**
 * (x^T x)^(-1/2), without what the vectors have no part in: x times it times x^T is the square root of x x^T.
 * @param gram x^T x [size, size]
 */
export function inverseRoot(gram: Float64Array, size: number): VectorRows {
  const { values, vectors } = eigen(gram, size);
  const least = 1e-10 * Math.max(...values);
  return rowsOfMatrix(
    scaled(
      vectors,
      values.map((value) => (value > least ? 1 / Math.sqrt(value) : 0)),
    ),
  );
}

interface Whitening {
  whiten: Matrix;
  undo: Matrix;
}

/** Makes the features of vectors uncorrelated and of length 1, and back. */
function whitening(gram: Float64Array, size: number): Whitening {
  const { values, vectors } = eigen(gram, size);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  // Sums of float32 products know no more than this.
  if (!(least > 1e-7 * most)) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `The vectors of the dictionary's words span fewer than their ${size} features, so they cannot be whitened; take finalMapping orthogonal, a larger dictionary, or smaller vectors.`,
    );
  }
  return {
    whiten: scaled(
      vectors,
      values.map((value) => 1 / Math.sqrt(value)),
    ),
    undo: scaled(
      vectors,
      values.map((value) => Math.sqrt(value)),
    ),
  };
}

function eigen(gram: Float64Array, size: number): { values: number[]; vectors: Matrix } {
  const found = new EigenvalueDecomposition(matrixOf(gram, size), { assumeSymmetric: true });
  return { values: found.realEigenvalues, vectors: found.eigenvectorMatrix };
}

/** V diag(scales) V^T */
function scaled(vectors: Matrix, scales: number[]): Matrix {
  return vectors.mmul(Matrix.diag(scales)).mmul(vectors.transpose());
}

function matrixOf(values: Float64Array, size: number): Matrix {
  return Matrix.from1DArray(size, size, Array.from(values));
}

function rowsOfMatrix(matrix: Matrix): VectorRows {
  return { count: matrix.rows, size: matrix.columns, values: Float32Array.from(matrix.to1DArray()) };
}
