import type { TrainOptions } from '../../src/node.js';

/** What an experiment is given. */
export interface ExperimentContext {
  /** Multiplies the budget. */
  scale: number;
  trainOptions: TrainOptions;
}

/** Trainings by name; each resolves to whether it ended, and goes on when it is called again. */
export type Parts = Record<string, (context: ExperimentContext, threads: number) => Promise<boolean>>;

/** A run of hours that ends in a page under docs/experiments. */
export interface Experiment {
  title: string;
  /** On two cores, at scale 1. */
  budgetMinutes: number;
  /** What all parts need, done first; false where it was interrupted. */
  prepare?(context: ExperimentContext): Promise<boolean>;
  /**
   * Trainings that do not need each other: they run at the same time, each in a process with its share of the cores, before
   * `run`. A small model wastes a second thread; two models on a thread each do not.
   */
  parts?: Parts;
  /** Likewise, with other names; those that need what came of `parts`, and run after them. */
  laterParts?: Parts;
  /** The page below its title, once all parts have ended; undefined where it was interrupted and can be resumed. */
  run(context: ExperimentContext): Promise<string | undefined>;
}

/** A Markdown table; a bar inside a cell does not end it. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}
