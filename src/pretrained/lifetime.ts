import { disposed, releaseAll } from '../engine/programs.js';

/** Whether what a model is made of is still there. */
export interface Lifetime {
  /** @throws MODEL_DISPOSED from the call of `dispose` on */
  requireAlive(): void;
  /**
   * Frees what the model holds. What is being run at the moment is waited for; what a search asks for next is refused
   * (MODEL_DISPOSED), as is everything that begins afterwards. A second call waits for the first.
   */
  dispose(): Promise<void>;
}

/** @param releases what there is to free, each independent of the others */
export function createLifetime(releases: readonly (() => Promise<unknown>)[]): Lifetime {
  let end: Promise<void> | undefined;
  return {
    requireAlive: () => {
      if (end) throw disposed('model');
    },
    dispose: () => {
      end ??= releaseAll(releases);
      return end;
    },
  };
}
