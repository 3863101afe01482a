import { fileAccess } from '../files.js';

/** Where a model is that polybeam brings, by its name; undefined where there is none. */
export type FindBundledModel = (name: string) => Promise<string | undefined>;

let find: FindBundledModel = async () => undefined;

/** Says where the models are that polybeam brings. The Node entry does it on import. */
export function setBundledModels(next: FindBundledModel): void {
  find = next;
}

/**
 * The directory that a user means: the one of that path, or else a model that polybeam brings, such as 'en-fr-software'.
 *
 * @param given path of a directory, or the name of a folder of models/
 */
export async function modelDirectoryOf(given: string): Promise<string> {
  if (/[/\\]/.test(given) || (await fileAccess().list(given)).length > 0) return given;
  return (await find(given)) ?? given;
}
