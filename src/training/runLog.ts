import { fileAccess } from '../files.js';

/** One row of `log.jsonl` about updates: means over the updates since the row before it. */
export interface UpdateRow {
  type: 'update';
  /** Updates done. */
  update: number;
  /** Epoch of the last update, counted from 1. */
  epoch: number;
  /** Label-smoothed loss per target token, in nats. */
  loss: number;
  /** Negative log-likelihood per target token, in nats. */
  negativeLogLikelihood: number;
  /** Of the last update. */
  learningRate: number;
  /** Mean L2 norm of the gradient before clipping. */
  gradientNorm: number;
  /** Target tokens a second. */
  tokensPerSecond: number;
  /** Negative log-likelihood per target token by kind of batch, where batches have kinds. */
  losses?: Record<string, number>;
  /** Where batches tell: seconds of these updates spent in the step (`training`), in parts of making batches, and in the rest of that (`data`). */
  times?: Record<string, number>;
  /** Seconds of training since the run began, interruptions left out. */
  seconds: number;
}

/** One row about a validation. */
export interface ValidationRow {
  type: 'validation';
  update: number;
  /** Epoch of the last update, counted from 1. */
  epoch: number;
  /** What decides: BLEU, or the loss. */
  score: number;
  /** Whether it is the best score so far. */
  best: boolean;
  /** Everything else that validation measured, such as `loss` and `bleu`. */
  values: Record<string, number>;
  seconds: number;
}

/** A row of the log. */
export type LogRow = UpdateRow | ValidationRow;

/** The log of a run: one JSON object a line. */
export interface RunLog {
  append(row: LogRow): Promise<void>;
  /**
   * Drops what came after a checkpoint, and a line that a kill left unfinished: the resumed run writes it again.
   * @param to updates done, and the update of the last validation that the checkpoint knows of
   */
  rewind(to: { update: number; lastValidation: number }): Promise<void>;
}

/** A log in the given file, which is made when the first row comes. */
export function createRunLog(path: string): RunLog {
  return {
    append: (row) => fileAccess().append(path, `${JSON.stringify(row)}\n`),
    async rewind({ update, lastValidation }) {
      if ((await fileAccess().size(path)) === undefined) {
        return;
      }
      const text = new TextDecoder().decode(await fileAccess().read(path));
      const stays = (line: string) => {
        const row = parseRow(line);
        return row !== undefined && row.update <= (row.type === 'validation' ? lastValidation : update);
      };
      const lines = text.split('\n').filter(stays);
      const kept = lines.map((line) => `${line}\n`).join('');
      if (kept !== text) {
        await fileAccess().writeAtomic(path, [new TextEncoder().encode(kept)]);
      }
    },
  };
}

/** The row of a line, or undefined where the line is not a whole row. */
function parseRow(line: string): LogRow | undefined {
  try {
    const row: unknown = JSON.parse(line);
    return typeof row === 'object' && row !== null ? (row as LogRow) : undefined;
  } catch {
    return undefined;
  }
}
