import { z } from 'zod';
import { PolybeamError } from '../../errors.js';
import { fileAccess } from '../../files.js';
import { parseJson } from '../../shallowJson.js';
import { firstDifference } from '../../training/runCheckpoint.js';

/** What stages of a run were made with, by name. Kept beside them, so that none is taken for what it is not. */
export interface StageRecord {
  /**
   * Makes a stage, unless it is there.
   * @param settings everything that decides what it makes, those of the stages before it included
   * @param outputs files that it writes
   * @throws CHECKPOINT_MISMATCH where it was made with other settings
   */
  stage(name: string, settings: object, outputs: readonly string[], make: () => Promise<void>): Promise<void>;
  /** Settings of a stage that `stage` was called for. */
  settingsOf(name: string): object;
}

/**
 * Opens the record of a run.
 * @param note told of every stage that is made, and that is there
 * @throws FILE_CORRUPT
 */
export async function openRecord(path: string, note: (text: string) => void): Promise<StageRecord> {
  const made = await readRecord(path);
  const settingsNow = new Map<string, object>();
  return {
    settingsOf: (name) => settingsNow.get(name)!,
    stage: async (name, settings, outputs, make) => {
      // As it comes back from the file, where what is undefined is absent.
      const now = JSON.parse(JSON.stringify(settings)) as object;
      settingsNow.set(name, now);
      if (made[name] && (await allThere(outputs))) {
        const difference = firstDifference(made[name], now);
        if (difference) throw changed(name, difference, outputs);
        note(`${name}: there already`);
        return;
      }
      note(name);
      await make();
      made[name] = now;
      await fileAccess().writeAtomic(path, [new TextEncoder().encode(`${JSON.stringify(made, null, 1)}\n`)]);
    },
  };
}

const recordSchema = z.record(z.string(), z.looseObject({}));

async function readRecord(path: string): Promise<Record<string, object>> {
  if ((await fileAccess().size(path)) === undefined) return {};
  try {
    return recordSchema.parse(parseJson(new TextDecoder().decode(await fileAccess().read(path))));
  } catch (cause) {
    throw new PolybeamError(
      'FILE_CORRUPT',
      `${path} is not the record of a run: remove it and what lies beside it, or choose another output.`,
      { cause },
    );
  }
}

async function allThere(paths: readonly string[]): Promise<boolean> {
  for (const path of paths) if ((await fileAccess().size(path)) === undefined) return false;
  return true;
}

function changed(
  name: string,
  [path, was, is]: [string, unknown, unknown],
  outputs: readonly string[],
): PolybeamError {
  return new PolybeamError(
    'CHECKPOINT_MISMATCH',
    `${name} was made with ${path} ${JSON.stringify(was)}, but the configuration now has ${JSON.stringify(is)}: restore the value, ` +
      `remove ${outputs.join(' and ')} to make it again, or choose another output.`,
  );
}
