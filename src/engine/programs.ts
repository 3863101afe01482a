import { PolybeamError } from '../errors.js';
import type { Program } from './program.js';

/** The programs of one owner by name, each compiled at its first use. */
export interface Programs {
  /**
   * The program of this name, which `make` compiles the first time. If compilation fails, the next call tries again.
   * @throws MODEL_DISPOSED after `release`; what `make` throws
   */
  get(name: string, make: () => Promise<Program>): Promise<Program>;
  /**
   * Frees all programs, including those being compiled, when their runs have ended. None is compiled afterwards;
   * a second call waits for the first.
   */
  release(): Promise<void>;
}

/** An owner without programs. */
export function createPrograms(): Programs {
  const made = new Map<string, Promise<Program>>();
  let released: Promise<void> | undefined;
  return {
    get: async (name, make) => {
      if (released) throw disposed('model');
      const known = made.get(name);
      if (known) return known;
      const program = make();
      made.set(name, program);
      program.catch(() => made.delete(name));
      return program;
    },
    release: () => {
      released ??= disposeAll([...made.values()]);
      return released;
    },
  };
}

async function disposeAll(programs: readonly Promise<Program>[]): Promise<void> {
  const settled = await Promise.allSettled(programs);
  await releaseAll(settled.map((one) => async () => one.status === 'fulfilled' && one.value.dispose()));
}

/** Runs all of them even if one fails. @throws the first error */
export async function releaseAll(releases: readonly (() => Promise<unknown>)[]): Promise<void> {
  const settled = await Promise.allSettled(releases.map((release) => release()));
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
}

/** Wraps a program so that it is not freed while it runs and does not run afterwards. Its owner may dispose of it more than once. */
export function guarded(program: Program): Program {
  let running = 0;
  let idle = () => {};
  let disposal: Promise<void> | undefined;
  const free = async () => {
    if (running > 0) {
      await new Promise<void>((resolve) => {
        idle = resolve;
      });
    }
    await program.dispose();
  };
  return {
    ...program,
    run: async (feeds, into) => {
      if (disposal) throw disposed('program');
      running++;
      try {
        return await program.run(feeds, into);
      } finally {
        running--;
        if (running === 0) idle();
      }
    },
    dispose: () => {
      disposal ??= free();
      return disposal;
    },
  };
}

/** The error of using something after it was disposed of. */
export function disposed(what: 'model' | 'program'): PolybeamError {
  const remedy = what === 'model' ? 'load it again' : 'compile it again, or load its model again';
  return new PolybeamError(
    'MODEL_DISPOSED',
    `The ${what} was disposed, and can no longer be used; ${remedy}.`,
  );
}
