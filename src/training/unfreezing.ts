import { embeddingDepth, layerDepth, type WeightLayout } from '../pretrained/architectures/weightLayout.js';
import type { Collate } from './batching.js';
import type { Objective, Tasks } from './objective.js';

/**
 * Gradual unfreezing (Howard and Ruder 2018, section 3.3) as tasks of one objective: stage n trains the weights that have at most
 * n layers above them, so that a weight's step count begins when it joins, as in PyTorch.
 */
export interface Unfreezing {
  tasks: Tasks;
  /** Whether a stage trains a weight. */
  trains(name: string, task: string): boolean;
  /** Gives batches the stage of their epoch, those of held-out text the last one. */
  staged(collate: Collate): Collate;
  heldOut(collate: Collate): Collate;
}

/**
 * @param everyEpochs epochs after which the next layer joins
 * @param isNew weights that start at random: they are there from the beginning
 */
export function gradualUnfreezing(
  objective: Objective,
  layout: WeightLayout,
  everyEpochs: number,
  isNew: (name: string) => boolean,
): Unfreezing {
  const last = embeddingDepth(layout);
  const stages = Array.from({ length: last + 1 }, (_, stage) => String(stage));
  const stageOf = (epoch: number) => stages[Math.min(last, Math.floor(epoch / everyEpochs))];
  return {
    tasks: Object.fromEntries(stages.map((stage) => [stage, objective])),
    trains: (name, task) => isNew(name) || layerDepth(layout, name) <= Number(task),
    staged: (collate) => (padded) => ({ ...collate(padded), task: stageOf(padded.epoch) }),
    heldOut: (collate) => (padded) => ({ ...collate(padded), task: stages[last] }),
  };
}
