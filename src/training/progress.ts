import { printable } from '../printable.js';

/** Where progress is shown: in Node a wrapper of `process.stderr`. */
export interface ProgressOutput {
  write(text: string): void;
  /** Whether a line can be overwritten. */
  isTerminal: boolean;
  /** Width of the terminal in characters; 80 where it is not known. */
  columns?: number;
}

/** What progress shows. */
export interface ProgressState {
  update: number;
  /** Of the last update, counted from 1. */
  epoch: number;
  /** Smoothed loss per target token. */
  loss: number;
  tokensPerSecond: number;
  /** Share of the budget that is used, 0 to 1; undefined where the end is not known. */
  fraction?: number;
  /** Seconds until the budget is used up, at the present speed. */
  secondsLeft?: number;
}

/** Shows how training goes. */
export interface Progress {
  /** Called after each update; draws at most ten times a second, elsewhere than on a terminal every half minute. */
  show(state: ProgressState): void;
  /** A line that stays, such as a validation result. */
  note(text: string): void;
  /** Leaves the cursor on a line of its own. */
  finish(): void;
}

const redrawMs = 100;
const plainMs = 30_000;
const barWidth = 20;

/**
 * A progress bar on a terminal, plain lines elsewhere (so that a log file of stderr stays small).
 * @param now milliseconds, for tests
 */
export function createProgress(
  output: ProgressOutput,
  now: () => number = () => performance.now(),
): Progress {
  let lastDraw = Number.NEGATIVE_INFINITY;
  let drawn = false;
  const clear = () => {
    if (drawn) {
      output.write('\r\x1b[K');
      drawn = false;
    }
  };
  return {
    show(state) {
      if (now() - lastDraw < (output.isTerminal ? redrawMs : plainMs)) {
        return;
      }
      lastDraw = now();
      if (output.isTerminal) {
        const width = (output.columns ?? 80) - 1;
        output.write(`\r${progressLine(state, true).slice(0, width)}\x1b[K`);
        drawn = true;
      } else {
        output.write(`${progressLine(state, false)}\n`);
      }
    },
    note(text) {
      clear();
      output.write(`${printable(text)}\n`);
    },
    finish() {
      if (drawn) {
        output.write('\n');
        drawn = false;
      }
    },
  };
}

/** One line: what matters most first, since a narrow terminal cuts the end. */
function progressLine(state: ProgressState, withBar: boolean): string {
  const parts = [`update ${state.update}`, `epoch ${state.epoch}`, `loss ${state.loss.toFixed(3)}`];
  parts.push(`${compact(state.tokensPerSecond)} tokens/s`);
  if (state.fraction !== undefined) {
    const share = Math.min(1, Math.max(0, state.fraction));
    const full = Math.round(share * barWidth);
    const percent = `${Math.floor(share * 100)}%`.padStart(4);
    parts.unshift(withBar ? `${'█'.repeat(full)}${'░'.repeat(barWidth - full)}${percent}` : percent.trim());
  }
  if (state.secondsLeft !== undefined) {
    parts.push(`${duration(state.secondsLeft)} left`);
  }
  return parts.join('  ');
}

function compact(value: number): string {
  return value >= 10_000 ? `${(value / 1000).toFixed(1)}k` : value.toFixed(0);
}

/** A duration for people: `45 s`, `12 min`, `3 h 20 min`. */
export function duration(seconds: number): string {
  if (seconds < 60) {
    return `${Math.ceil(seconds)} s`;
  }
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
