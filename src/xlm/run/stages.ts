import { PolybeamError } from '../../errors.js';
import { fileAccess } from '../../files.js';
import { saveTokenizer } from '../../text/saveTokenizer.js';
import type { TrainOptions } from '../../training/train.js';
import { trainJointVocabulary } from '../jointVocabulary.js';
import type { LanguageTexts } from '../languageData.js';
import { readDictionary } from '../mapping/dictionaryFile.js';
import { mapVectorFiles } from '../mapping/mapFiles.js';
import { resolveMappingOptions, tooFewWords } from '../mapping/mappingOptions.js';
import { buildTable } from '../table/buildTable.js';
import { writeTable } from '../table/translationTable.js';
import { type Texts, textsOf } from '../texts.js';
import { chooseNgrams, readNgrams, resolveNgramOptions, writeNgrams } from '../vectors/ngrams.js';
import { resolveVectorOptions, trainVectors } from '../vectors/trainVectors.js';
import { readVectors, writeVectors } from '../vectors/vectorFile.js';
import { allTexts, type XlmRunConfig } from './config.js';
import { type LanguagePair, pairsOf, placesOf } from './places.js';
import type { StageRecord } from './record.js';

/** What stages are made with. */
export interface StageContext {
  config: XlmRunConfig;
  record: StageRecord;
  note(text: string): void;
  options: TrainOptions;
}

/** Texts of a language as every stage before translation reads them. */
function textsIn({ config, options }: StageContext, language: string): Texts {
  const files = allTexts(config.data)[language].map(({ text, column }) => ({ path: text, column }));
  const warned = new Set<string>();
  return textsOf(files, (path, lines) => {
    if (!warned.has(path)) options.onWarning?.(`${lines} lines of ${path} were not valid UTF-8.`);
    warned.add(path);
  });
}

/** Files and their sizes: what tells texts from others without reading them. */
async function textSizes(texts: LanguageTexts): Promise<object> {
  const sizes: Record<string, object> = {};
  for (const [language, sources] of Object.entries(texts)) {
    sizes[language] = await Promise.all(
      sources.map(async (source) => ({ ...source, bytes: await fileAccess().size(source.text) })),
    );
  }
  return sizes;
}

/** The joint vocabulary of all languages. */
export async function makeVocabulary(context: StageContext): Promise<void> {
  const { config, record, note } = context;
  const directory = placesOf(config.output).vocabulary;
  const options = { ...config.vocabulary, lowercase: config.data.lowercase };
  const settings = { vocabulary: options, texts: await textSizes(allTexts(config.data)) };
  await record.stage('vocabulary', settings, [`${directory}/tokenizer.json`], async () => {
    const texts = Object.fromEntries(
      config.languages.map((language) => [language, textsIn(context, language)]),
    );
    const { tokenizer, languages } = await trainJointVocabulary(texts, options);
    const modelMaxLength = config.pretrain?.model?.maxPositionEmbeddings;
    await saveTokenizer(directory, tokenizer, { modelMaxLength });
    const shares = languages.map(({ language, share }) => `${language} ${(100 * share).toFixed(1)} %`);
    note(`${Object.keys(tokenizer.model.vocab).length} tokens, ${shares.join(', ')}`);
  });
}

/** Words and n-grams of a language. */
async function makeNgrams(context: StageContext, language: string): Promise<void> {
  const { config, record, note } = context;
  const path = placesOf(config.output).ngrams(language);
  const texts = allTexts(config.data);
  const ngramOptions = { ...config.ngrams, lowercase: config.data.lowercase };
  const chosen = { ngrams: ngramOptions, texts: await textSizes({ [language]: texts[language] }) };
  await record.stage(`ngrams/${language}`, chosen, [path], async () => {
    const ngrams = await chooseNgrams(textsIn(context, language), ngramOptions);
    await writeNgrams(path, ngrams);
    note(`${ngrams.length} words and n-grams`);
  });
}

/**
 * Refuses before vectors are trained what could not be mapped afterwards.
 * @throws INPUT_INVALID
 */
async function requireMappable({ config }: StageContext, language: string): Promise<void> {
  const mapping = resolveMappingOptions({ ...config.mapping });
  const { size } = resolveVectorOptions(config.vectors ?? {});
  const { minCount } = resolveNgramOptions(config.ngrams ?? {});
  const ngrams = await readNgrams(placesOf(config.output).ngrams(language));
  const learned = ngrams.filter(({ text }) => mapping.learnFromNgrams || !text.includes(' ')).length;
  const words = Math.min(learned, mapping.vocabularySize);
  if (!tooFewWords(words, size, mapping)) return;
  throw new PolybeamError(
    'INPUT_INVALID',
    `The texts of ${language} have ${words} words of at least ${minCount} occurrences to learn a mapping from, fewer than the ${size} features of vectors.size, ` +
      'so mapping.finalMapping symmetric cannot whiten them: lower vectors.size, give more text, lower ngrams.minCount, or set ' +
      'mapping.finalMapping to orthogonal.',
  );
}

/** Vectors of a language's n-grams. */
async function makeVectors(context: StageContext, language: string): Promise<void> {
  const { config, record, note, options } = context;
  const { lowercase } = config.data;
  const places = placesOf(config.output);
  const path = places.ngrams(language);
  const chosen = record.settingsOf(`ngrams/${language}`);
  const vectorOptions = { ...config.vectors, lowercase, seed: config.seed };
  const settings = { vectors: vectorOptions, of: chosen };
  await record.stage(`vectors/${language}`, settings, [places.vectors(language)], async () => {
    const { vectors } = await trainVectors(
      textsIn(context, language),
      await readNgrams(path),
      vectorOptions,
      {
        signal: options.signal,
      },
    );
    await writeVectors(places.vectors(language), vectors);
    note(`${vectors.words.length} vectors of ${vectors.size}`);
  });
}

/** Vectors of two languages in one space. */
async function makeMapping({ config, record, note, options }: StageContext, pair: LanguagePair) {
  const places = placesOf(config.output);
  const [source, target] = pair;
  const { seed, threads } = config;
  const device = config.device as string;
  const mapping = { ...config.mapping, seed };
  const settings = { mapping, of: pair.map((language) => record.settingsOf(`vectors/${language}`)) };
  const files = {
    source: places.vectors(source),
    target: places.vectors(target),
    outputSource: places.mapped(pair, source),
    outputTarget: places.mapped(pair, target),
    report: places.report(pair),
  };
  const outputs = [files.outputSource, files.outputTarget];
  await record.stage(`mapped/${pair.join('-')}`, settings, outputs, async () => {
    const report = await mapVectorFiles(files, { ...mapping, device, threads }, { signal: options.signal });
    note(`mapped, mean cosine ${report.objective.toFixed(3)}`);
  });
}

/** Translation tables of both directions. */
async function makeTables({ config, record, note, options }: StageContext, pair: LanguagePair) {
  const places = placesOf(config.output);
  const [source, target] = pair;
  const { threads, device } = config;
  const settings = { table: config.table ?? {}, of: record.settingsOf(`mapped/${pair.join('-')}`) };
  const outputs = [places.table(source, target), places.table(target, source)];
  await record.stage(`tables/${pair.join('-')}`, settings, outputs, async () => {
    const vectors = [
      await readVectors(places.mapped(pair, source)),
      await readVectors(places.mapped(pair, target)),
    ] as const;
    const run = { reverse: true, signal: options.signal };
    const built = await buildTable(...vectors, { ...config.table, device, threads }, run);
    for (const [at, table] of [built.forward, built.reverse!].entries())
      await writeTable(outputs[at], table.sources, table.translationsOf);
    note(`tables of ${built.forward.sources.length} and ${built.reverse!.sources.length} n-grams`);
  });
}

/** Vectors, mappings and tables of all languages. */
export async function makeAllTables(context: StageContext): Promise<void> {
  const { languages, mapping } = context.config;
  // Found damaged or missing now rather than when vectors have been trained.
  if (mapping?.dictionary !== undefined) await readDictionary(mapping.dictionary);
  for (const language of languages) {
    await makeNgrams(context, language);
    await requireMappable(context, language);
  }
  for (const language of languages) await makeVectors(context, language);
  for (const pair of pairsOf(languages)) {
    await makeMapping(context, pair);
    await makeTables(context, pair);
  }
}
