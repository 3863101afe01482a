import { PolybeamError } from '../errors.js';
import { checkpointPath, type RunPointer } from './runCheckpoint.js';
import { readTensors } from './tensorFiles.js';
import type { TrainTensor } from './trainStep.js';

/**
 * The mean of the weights of the last `count` regular checkpoints of a run (Vaswani et al. 2017, section 6.1), by the
 * names of `model.safetensors`; of fewer where the run was short, of the last checkpoint where none was regular.
 * Sums are in float64. Throws WEIGHT_MISSING and WEIGHT_SHAPE where the checkpoints are not of one model.
 */
export async function averageCheckpoints(
  directory: string,
  pointer: RunPointer,
  count: number,
): Promise<Map<string, TrainTensor>> {
  const regular = pointer.kept.filter((entry) => entry.regular).slice(-count);
  const chosen = regular.length > 0 ? regular : pointer.kept.slice(-1);
  const paths = chosen.map(({ update }) => `${checkpointPath(directory, update)}/model.safetensors`);
  return averageFiles(paths);
}

/** The mean of the tensors of several safetensors files of one model. */
export async function averageFiles(paths: readonly string[]): Promise<Map<string, TrainTensor>> {
  const sums = new Map<string, { shape: number[]; sum: Float64Array }>();
  for (const path of paths) {
    const tensors = await readTensors(path);
    for (const [name, { shape, data }] of tensors) {
      if (path === paths[0]) {
        sums.set(name, { shape, sum: Float64Array.from(data) });
        continue;
      }
      const total = sums.get(name);
      if (total?.shape.join() !== shape.join()) {
        throw new PolybeamError(
          total ? 'WEIGHT_SHAPE' : 'WEIGHT_MISSING',
          `${name} is ${total ? `[${total.shape}]` : 'missing'} in ${paths[0]} but [${shape}] in ${path}: only ` +
            'checkpoints of one model can be averaged.',
        );
      }
      data.forEach((value, at) => {
        total.sum[at] += value;
      });
    }
    const missing = [...sums.keys()].find((name) => !tensors.has(name));
    if (missing) {
      throw new PolybeamError(
        'WEIGHT_MISSING',
        `${missing} is in ${paths[0]} but not in ${path}: only checkpoints of one model can be averaged.`,
      );
    }
  }
  const mean = ({ shape, sum }: { shape: number[]; sum: Float64Array }): TrainTensor => ({
    shape,
    data: Float32Array.from(sum, (value) => value / paths.length),
  });
  return new Map([...sums].map(([name, total]) => [name, mean(total)]));
}
