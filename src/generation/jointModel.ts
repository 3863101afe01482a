import { giveWay } from './abort.js';
import { pickRows } from './jointCandidates.js';
import { joinEdits } from './jointEdits.js';
import type {
  Candidates,
  DecodingState,
  SelectionSpec,
  SourceBatch,
  StartFeed,
  StepFeed,
  StepModel,
} from './stepModel.js';

/** How long a step waits for searches that are busy with something else, such as turning ids into text. Milliseconds. */
const patience = 2;

/** The share of free rows in a group above which the group is compacted, which copies its caches. */
const closeAt = 1 / 4;

/** Sources are cut, which copies them, once they are padded to at least this many times the longest source. */
const cutAt = 2;

/** A `StepModel` that can admit sentences to a running batch. */
type AdoptingModel = StepModel & Required<Pick<StepModel, 'adopt'>>;

/**
 * A model that many searches can use at the same time, as if each had it to itself. Searches with the same selection and
 * the same number of beams share their steps, at whatever positions they are. A search joins between two steps and frees
 * its rows when it ends. A search that is not ready when a step begins is skipped and takes part in a later step.
 *
 * A model that cannot `adopt` is returned as it is: then each search steps by itself.
 */
export function createJointModel(model: StepModel): StepModel {
  return model.adopt ? makeJoint(model as AdoptingModel) : model;
}

/** Searches that step together. */
interface Group {
  key: string;
  spec: SelectionSpec;
  beams: number;
  state: DecodingState;
  /** The search that owns each row of the model's batch. */
  places: (Lane | undefined)[];
  /** Length to which its sources are padded. */
  source: number;
  /** See `StepFeed.ancestry`; filled anew by each step. [places, beams, columns] */
  ancestry: Int32Array;
  /** True while sentences are being admitted; keeps the group alive even if all others leave. */
  boarding: boolean;
}

/** The state of one search. */
interface Lane extends DecodingState {
  batch: number;
  beams: number;
  /** Length of its sources. */
  source: number;
  group: Group;
  /** The group's row of each of its sentences. [batch] */
  seats: number[];
  /** Whether the last step began without it. */
  late: boolean;
}

interface Pending<Feed, Result> {
  feed: Feed;
  resolve: (result: Result) => void;
  reject: (reason: unknown) => void;
}

type PendingStart = Pending<StartFeed, { state: DecodingState; candidates: Candidates }>;
type PendingStep = Pending<StepFeed, Candidates>;

/** A search whose next step is to be taken. */
type Taken = PendingStep & { lane: Lane };

function makeJoint(model: AdoptingModel): StepModel {
  const groups = new Map<string, Group>();
  let starts: PendingStart[] = [];
  const steps = new Map<Lane, PendingStep>();
  let running = false;

  /** Works until no search waits. */
  async function run(): Promise<void> {
    running = true;
    while (starts.length + steps.size > 0) {
      await everybodyReady();
      const begun = starts;
      starts = [];
      for (const together of alike(begun)) await startTogether(together);
      for (const group of [...groups.values()]) await stepGroup(group);
    }
    running = false;
  }

  function wake(): void {
    // Every error is passed to the search that caused it.
    if (!running) void run();
  }

  /** Waits for the searches to make their calls; those that take too long are late. */
  async function everybodyReady(): Promise<void> {
    const end = performance.now() + patience;
    const busy = () => lanesOf(groups.values()).filter((lane) => !lane.late && !steps.has(lane));
    do await giveWay();
    while (busy().length > 0 && performance.now() < end);
    for (const lane of busy()) lane.late = true;
  }

  async function startTogether(pending: readonly PendingStart[]): Promise<void> {
    try {
      for (const answer of await startAll(pending)) answer();
    } catch (error) {
      await oneByOne(pending, error, startTogether);
    }
  }

  /** Starts all or none. @returns their results */
  async function startAll(pending: readonly PendingStart[]): Promise<(() => void)[]> {
    const feeds = pending.map((one) => one.feed);
    const { beams, selection } = feeds[0];
    const spec = { ...selection, ownPositions: true };
    const { state, candidates } = await model.start(joinStarts(feeds, spec));
    try {
      const own = partsOf(feeds);
      const picked = feeds.map(({ source, lookupWidth }, at) =>
        pickRows(candidates, own[at], source.source, lookupWidth),
      );
      const { group, seats } = await seat(beams, spec, state, sourceOf(feeds));
      const answers = pending.map(({ feed, resolve }, at) => {
        const { batch, source } = feed.source;
        const places = own[at].map((sentence) => seats[sentence]);
        const lane: Lane = { batch, beams, source, group, seats: places, late: false };
        for (const place of places) group.places[place] = lane;
        return () => resolve({ state: lane, candidates: picked[at] });
      });
      group.boarding = false;
      return answers;
    } catch (error) {
      model.dispose(state);
      throw error;
    }
  }

  /** Gives new sentences rows in their group, free rows first. */
  async function seat(
    beams: number,
    spec: SelectionSpec,
    started: DecodingState,
    source: number,
  ): Promise<{ group: Group; seats: number[] }> {
    const key = keyOf(spec, beams);
    const group = groups.get(key);
    if (!group) {
      const places = new Array<undefined>(started.batch).fill(undefined);
      const ancestry = new Int32Array(0);
      const made = { key, spec, beams, state: started, places, source, ancestry, boarding: true };
      groups.set(key, made);
      return { group: made, seats: [...places.keys()] };
    }
    group.boarding = true;
    const seats = [...group.places.keys()].filter((place) => !group.places[place]).slice(0, started.batch);
    for (let next = group.places.length; seats.length < started.batch; next++) seats.push(next);
    group.state = await model.adopt(group.state, started, seats).catch((error) => {
      group.boarding = false;
      disposeIfEmpty(group);
      throw error;
    });
    for (let place = group.places.length; place < group.state.batch; place++) group.places.push(undefined);
    group.source = Math.max(group.source, source);
    return { group, seats };
  }

  async function stepGroup(group: Group): Promise<void> {
    const ready = lanesOf([group]).filter((lane) => steps.has(lane));
    const taken = ready.map((lane) => ({ lane, ...(steps.get(lane) as PendingStep) }));
    for (const lane of ready) steps.delete(lane);
    if (taken.length > 0) await stepTogether(group, taken);
  }

  async function stepTogether(group: Group, taken: readonly Taken[]): Promise<void> {
    try {
      await closeGaps(group);
      const candidates = await model.step(group.state, joinSteps(group, taken));
      const answers = taken.map(({ lane, feed }) =>
        pickRows(candidates, rowsOf(lane), lane.source, feed.lookupWidth),
      );
      taken.forEach(({ resolve }, at) => {
        resolve(answers[at]);
      });
    } catch (error) {
      await oneByOne(taken, error, (one) => stepTogether(group, one));
    }
  }

  /** Removes free rows from the batch, and cuts its sources once the longest have left. */
  async function closeGaps(group: Group): Promise<void> {
    const kept = [...group.places.keys()].filter((place) => group.places[place]);
    const free = group.places.length - kept.length;
    const hasGaps = free > 0 && free >= group.places.length * closeAt && starts.length === 0;
    const source = Math.max(...lanesOf([group]).map((lane) => lane.source));
    if (!hasGaps && group.source < source * cutAt) return;
    group.state = await model.keep(group.state, kept, source);
    group.source = source;
    group.places = kept.map((place) => group.places[place]);
    for (const lane of lanesOf([group])) lane.seats = lane.seats.map((place) => kept.indexOf(place));
  }

  function leave(lane: Lane, seats: readonly number[]): void {
    const { group } = lane;
    for (const place of seats) group.places[place] = undefined;
    disposeIfEmpty(group);
  }

  function disposeIfEmpty(group: Group): void {
    if (group.boarding || group.places.some((one) => one)) return;
    groups.delete(group.key);
    model.dispose(group.state);
  }

  return {
    vocabSize: model.vocabSize,
    maxPositions: model.maxPositions,
    maxSource: model.maxSource,
    attention: model.attention,
    givesHidden: model.givesHidden,
    start: (feed) =>
      new Promise((resolve, reject) => {
        starts.push({ feed, resolve, reject });
        wake();
      }),
    step: (state, feed) =>
      new Promise((resolve, reject) => {
        const lane = state as Lane;
        lane.late = false;
        steps.set(lane, { feed, resolve, reject });
        wake();
      }),
    keep: async (state, sentences) => {
      const lane = state as Lane;
      const left = lane.seats.filter((_, sentence) => !sentences.includes(sentence));
      lane.seats = sentences.map((sentence) => lane.seats[sentence]);
      lane.batch = sentences.length;
      leave(lane, left);
      return lane;
    },
    dispose: (state) => leave(state as Lane, (state as Lane).seats),
  };
}

function keyOf(spec: SelectionSpec, beams: number): string {
  return JSON.stringify([beams, spec]);
}

function lanesOf(groups: Iterable<Group>): Lane[] {
  const lanes = new Set<Lane>();
  for (const { places } of groups) for (const lane of places) if (lane) lanes.add(lane);
  return [...lanes];
}

/** Repeats a failed joint call for each search by itself, so that only the search that causes the error fails. */
async function oneByOne<Waiting extends { reject: (reason: unknown) => void }>(
  together: readonly Waiting[],
  error: unknown,
  call: (one: readonly Waiting[]) => Promise<void>,
): Promise<void> {
  if (together.length === 1) together[0].reject(error);
  else for (const one of together) await call([one]);
}

/** Those that can be started in one batch. */
function alike(pending: readonly PendingStart[]): PendingStart[][] {
  const sorted = new Map<string, PendingStart[]>();
  for (const one of pending) {
    const key = `${keyOf(one.feed.selection, one.feed.beams)} ${one.feed.promptLength}`;
    sorted.set(key, [...(sorted.get(key) ?? []), one]);
  }
  return [...sorted.values()];
}

function joinStarts(feeds: readonly StartFeed[], selection: SelectionSpec): StartFeed {
  const source = joinSources(feeds);
  const prompt = new Int32Array(source.batch * feeds[0].promptLength);
  const { promptLength, beams } = feeds[0];
  const parts = partsOf(feeds).map((rows, at) => ({ edits: feeds[at], rows }));
  for (const { edits, rows } of parts) prompt.set(edits.prompt, rows[0] * promptLength);
  return {
    source,
    prompt,
    promptLength,
    beams,
    maxLength: Math.max(...feeds.map((feed) => feed.maxLength)),
    selection,
    ...joinEdits(parts, source.batch, selection),
  };
}

/** The sentences of each feed among those of all. */
function partsOf(feeds: readonly StartFeed[]): number[][] {
  let first = 0;
  return feeds.map(({ source: { batch } }) => {
    first += batch;
    return Array.from({ length: batch }, (_, sentence) => first - batch + sentence);
  });
}

/** The length of the longest source, padding included. */
function sourceOf(feeds: readonly StartFeed[]): number {
  return Math.max(...feeds.map((feed) => feed.source.source));
}

/** Sources padded to the longest. */
function joinSources(feeds: readonly StartFeed[]): SourceBatch {
  const sources = feeds.map((feed) => feed.source);
  const source = sourceOf(feeds);
  const batch = sources.reduce((sum, one) => sum + one.batch, 0);
  const inputIds = new Int32Array(batch * source);
  const attentionMask = new Int32Array(batch * source);
  let row = 0;
  for (const one of sources) {
    for (let from = 0; from < one.batch * one.source; from += one.source, row++) {
      inputIds.set(one.inputIds.subarray(from, from + one.source), row * source);
      attentionMask.set(one.attentionMask.subarray(from, from + one.source), row * source);
    }
  }
  return { inputIds, attentionMask, batch, source };
}

/** One step of all searches that are ready. */
function joinSteps(group: Group, ready: readonly { lane: Lane; feed: StepFeed }[]): StepFeed {
  const { beams, places, spec } = group;
  const position = Math.max(...ready.map(({ feed }) => feed.position));
  const ancestry = ancestryTable(group, position + 1);
  const columns = ancestry.length / (places.length * beams);
  // Free rows get the cheapest content; a search that is skipped takes no part.
  const positions = Int32Array.from(places, (lane) => (lane ? -1 : 0));
  const tokens = new Int32Array(places.length * beams);
  for (const { lane, feed } of ready) {
    const own = feed.ancestry.length / (lane.batch * beams);
    lane.seats.forEach((place, sentence) => {
      positions[place] = feed.position;
      for (let beam = 0; beam < beams; beam++) {
        const from = sentence * beams + beam;
        const to = place * beams + beam;
        tokens[to] = feed.tokens[from];
        ancestry.set(feed.ancestry.subarray(from * own, from * own + feed.position + 1), to * columns);
      }
    });
  }
  const parts = ready.map(({ lane, feed }) => ({ edits: feed, rows: rowsOf(lane) }));
  return { tokens, position, positions, ancestry, ...joinEdits(parts, tokens.length, spec) };
}

/** The group's ancestry table for so many positions; allocated anew if it is too small or the rows have changed. */
function ancestryTable(group: Group, positions: number): Int32Array {
  const rows = group.places.length * group.beams;
  const columns = group.ancestry.length / rows;
  if (!Number.isInteger(columns) || columns < positions) {
    group.ancestry = new Int32Array(rows * Math.max(64, 2 ** Math.ceil(Math.log2(positions))));
  }
  return group.ancestry;
}

/** The rows of a search among those of its group. */
function rowsOf({ seats, beams }: Lane): number[] {
  return seats.flatMap((place) => Array.from({ length: beams }, (_, beam) => place * beams + beam));
}
