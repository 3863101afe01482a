import type { TrainOptions } from '../../src/node.js';

/** What an experiment is given. */
export interface ExperimentContext {
  /** Multiplies the budget. */
  scale: number;
  trainOptions: TrainOptions;
}

/** A run of hours that ends in a page under docs/experiments. */
export interface Experiment {
  title: string;
  /** On two cores, at scale 1. */
  budgetMinutes: number;
  /** The page below its title; undefined where the run was interrupted and can be resumed. */
  run(context: ExperimentContext): Promise<string | undefined>;
}

/** A Markdown table. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}
