import type { Graph } from '../graph.js';
import { pruneAndSort } from '../graph.js';
import type { WeightPrecision } from '../quantize.js';
import { fuseAttention, fuseAttentionByBias } from './fuseAttention.js';
import { fuseBias } from './fuseBias.js';
import { fuseGelu } from './fuseGelu.js';
import { fuseLayerNorm, fuseSkipLayerNorm } from './fuseLayerNorm.js';
import { fuseLogSoftmax } from './fuseLogSoftmax.js';
import { fuseLogSumExp } from './fuseLogSumExp.js';
import { fuseRmsNorm } from './fuseRmsNorm.js';
import { fuseSumOfSquares } from './fuseSumOfSquares.js';
import { fuseTransposedMatMul } from './fuseTransposedMatMul.js';
import { joinProducts } from './joinProducts.js';
import { mendTopK } from './mendTopK.js';
import { quantizeProducts } from './quantizeProducts.js';

/** Passes by name, in the order they are applied. Each rewrites the graph so that its outputs stay the same. */
export const passes = {
  fuseAttention,
  fuseAttentionByBias,
  fuseSkipLayerNorm,
  fuseLayerNorm,
  fuseRmsNorm,
  fuseGelu,
  fuseLogSoftmax,
  fuseLogSumExp,
  fuseSumOfSquares,
  fuseTransposedMatMul,
  quantizeProducts,
  fuseBias,
  joinProducts,
  mendTopK,
} satisfies Record<string, (graph: Graph, precision: WeightPrecision) => void>;

export type PassName = keyof typeof passes;

/**
 * The passes whose fused operators a device has. On WebGPU FusedMatMul, LogSoftmax and
 * DecoderMaskedMultiHeadAttention would fall back to the CPU, with a copy there and back (onnxruntime 1.30, seen in a
 * profile); the plain operations run where the data are. CUDA has them, but takes the list that is tested: its
 * DecoderMaskedMultiHeadAttention requires another layout of the keys and caches that are written in place.
 */
export function passesFor(device: 'cpu' | 'webgpu' | 'cuda'): readonly PassName[] {
  return device === 'cpu'
    ? [
        'fuseAttention',
        'fuseLayerNorm',
        'fuseRmsNorm',
        'fuseGelu',
        'fuseLogSoftmax',
        'fuseLogSumExp',
        'fuseSumOfSquares',
        'fuseTransposedMatMul',
        'quantizeProducts',
        'fuseBias',
        'joinProducts',
      ]
    : ['fuseAttentionByBias', 'fuseSkipLayerNorm', 'fuseGelu', 'mendTopK'];
}

/** Applies passes in their fixed order, then removes unused nodes. */
export function applyPasses(
  graph: Graph,
  names: readonly PassName[],
  precision: WeightPrecision = 'float32',
): void {
  pruneAndSort(graph);
  for (const [name, pass] of Object.entries(passes)) {
    if (names.includes(name as PassName)) pass(graph, precision);
  }
  pruneAndSort(graph);
}
