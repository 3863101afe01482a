/** How the learning rate moves over a run. */
export interface ScheduleOptions {
  type: 'inverseSquareRoot' | 'linear' | 'cosine' | 'slantedTriangular' | 'constant';
  /** The highest learning rate, reached when warm-up ends. */
  learningRate: number;
  /** Updates over which the rate rises linearly from 0; 0 starts at the peak. */
  warmupUpdates: number;
  /** Updates after which those types that have an end reach it; the others do not read it. */
  totalUpdates?: number;
  /** 'slantedTriangular': the peak is this many times the rate at the first and at the last update. Default 32. */
  ratio?: number;
}

/** Whether a schedule must know when it ends. */
export function hasEnd(type: ScheduleOptions['type']): boolean {
  return type === 'linear' || type === 'cosine' || type === 'slantedTriangular';
}

/** What of a schedule must not change when a run is resumed. A longer budget changes nothing where the schedule has no end. */
export function scheduleIdentity<T extends { type: ScheduleOptions['type']; totalUpdates?: number }>({
  totalUpdates,
  ...rates
}: T): Record<string, unknown> {
  return { ...rates, ...(hasEnd(rates.type) ? { totalUpdates } : {}) };
}

/** Learning rate for a number of updates already done: 0 for the first update of a run. */
export type Schedule = (updatesDone: number) => number;

/** Multiplier of the peak once warm-up is over, by type. */
const decays: Record<
  Exclude<ScheduleOptions['type'], 'slantedTriangular'>,
  (done: number, warmup: number, total: number) => number
> = {
  // Vaswani et al. 2017, section 5.3. Without warm-up the time scale is 10,000 updates, as in transformers.
  inverseSquareRoot: (done, warmup) =>
    warmup > 0 ? Math.sqrt(warmup / done) : 1 / Math.sqrt((done + 10_000) / 10_000),
  linear: (done, warmup, total) => Math.max(0, (total - done) / Math.max(1, total - warmup)),
  cosine: (done, warmup, total) => {
    const progress = Math.min(1, (done - warmup) / Math.max(1, total - warmup));
    return 0.5 * (1 + Math.cos(Math.PI * progress));
  },
  constant: () => 1,
};

/**
 * The schedule as a pure function, equal to transformers' `get_*_schedule(_with_warmup)`; with warm-up,
 * 'inverseSquareRoot' is also fairseq's `inverse_sqrt` with `warmup_init_lr` 0. Both count updates from 0, so the first
 * update of a run with warm-up has learning rate 0.
 * 'cosine' is half a period and stays at 0 after `totalUpdates` (transformers' would rise again).
 * 'slantedTriangular' is that of Howard and Ruder 2018, section 3.2, with `warmupUpdates` for T cut_frac: a short rise from
 * learningRate / ratio and a long fall back to it, where it stays.
 */
export function createSchedule(options: ScheduleOptions): Schedule {
  const { learningRate, warmupUpdates, type } = options;
  const total = options.totalUpdates ?? Number.POSITIVE_INFINITY;
  if (type === 'slantedTriangular') {
    const ratio = options.ratio ?? 32;
    return (done) => learningRate * ((1 + slant(done, warmupUpdates, total) * (ratio - 1)) / ratio);
  }
  const decay = decays[type];
  return (done) =>
    learningRate *
    (done < warmupUpdates ? done / Math.max(1, warmupUpdates) : decay(done, warmupUpdates, total));
}

/** How far up the triangle a number of updates is, 0 to 1. */
function slant(done: number, warmup: number, total: number): number {
  if (done < warmup) return done / warmup;
  return Math.max(0, 1 - (done - warmup) / Math.max(1, total - warmup));
}
