import { fileAccess } from '../../files.js';
import { requireObject, requireText } from '../../inputs.js';
import { readVectors, writeVectors } from '../vectors/vectorFile.js';
import type { MappingOptions } from './mappingOptions.js';
import { failedMapping, type MappingReport } from './mappingReport.js';
import { mapVectors } from './mapVectors.js';
import type { MappingHooks } from './selfLearning.js';

/** Files of a mapping. */
export interface MappingFiles {
  /** Vectors of either language, `.vec`. */
  source: string;
  target: string;
  /** Where the mapped ones are written. */
  outputSource: string;
  outputTarget: string;
  /** Where the report is written, as JSON; default nowhere. */
  report?: string;
}

/**
 * `mapVectors` from files to files. The report is written also of a mapping that failed; its vectors are not, unless
 * `keepFailed`.
 * @throws as `mapVectors` and `readVectors`; FILE_WRITE
 */
export async function mapVectorFiles(
  files: MappingFiles,
  options: MappingOptions = {},
  hooks: MappingHooks & { onWarning?: (message: string) => void } = {},
): Promise<MappingReport> {
  requireObject(files, 'files', 'source, target, outputSource and outputTarget');
  for (const key of ['source', 'target', 'outputSource', 'outputTarget'] as const)
    requireText(files[key], `files.${key}`);
  requireObject(options, 'options', 'options such as keepFailed');
  const read = (path: string) => readVectors(path, undefined, hooks.onWarning);
  const [source, target] = [await read(files.source), await read(files.target)];
  const mapping = await mapVectors(source, target, { ...options, keepFailed: true }, hooks);
  const { report } = mapping;
  if (files.report !== undefined) {
    const text = `${JSON.stringify(report, null, 1)}\n`;
    await fileAccess().writeAtomic(files.report, [new TextEncoder().encode(text)]);
  }
  if (report.problem !== undefined && !options.keepFailed) throw failedMapping(report);
  await writeVectors(files.outputSource, mapping.source);
  await writeVectors(files.outputTarget, mapping.target);
  return report;
}
