import { account } from './catalogue/account';
import { agreements } from './catalogue/agreements';
import { ambulatory } from './catalogue/ambulatory';
import { audit } from './catalogue/audit';
import { board } from './catalogue/board';
import { common } from './catalogue/common';
import { consultations } from './catalogue/consultations';
import { critical } from './catalogue/critical';
import { ecg } from './catalogue/ecg';
import { ecgFiles } from './catalogue/ecgFiles';
import { ecgList } from './catalogue/ecgList';
import { ecgQuality } from './catalogue/ecgQuality';
import { ecgReport } from './catalogue/ecgReport';
import { emergency } from './catalogue/emergency';
import { identity } from './catalogue/identity';
import { keeping } from './catalogue/keeping';
import { ledger } from './catalogue/ledger';
import { deliveryWords } from './catalogue/deliveryWords';
import { keyImages } from './catalogue/keyImages';
import { operations } from './catalogue/operations';
import { orders } from './catalogue/orders';
import { panels } from './catalogue/panels';
import { notes } from './catalogue/notes';
import { people } from './catalogue/people';
import { phone } from './catalogue/phone';
import { portal } from './catalogue/portal';
import { preliminary } from './catalogue/preliminary';
import { priors } from './catalogue/priors';
import { problems } from './catalogue/problems';
import { procedures } from './catalogue/procedures';
import { quality } from './catalogue/quality';
import { reading } from './catalogue/reading';
import { roster } from './catalogue/roster';
import { rules } from './catalogue/rules';
import { retakes } from './catalogue/retakes';
import { siteTests } from './catalogue/siteTests';
import { session } from './catalogue/session';
import { shares } from './catalogue/shares';
import { tokens } from './catalogue/tokens';
import { verification } from './catalogue/verification';
import { worklist } from './catalogue/worklist';
import { writing } from './catalogue/writing';
import type { Entry } from './entry';

export const LANGUAGES = ['zh-CN', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];

/** Every text that a person reads. A page never carries a text of its own. */
export const catalogue = {
  ...common,
  ...problems,
  ...worklist,
  ...board,
  ...writing,
  ...reading,
  ...panels,
  ...priors,
  ...shares,
  ...keyImages,
  ...notes,
  ...ecg,
  ...ecgFiles,
  ...ecgList,
  ...ecgQuality,
  ...ecgReport,
  ...ambulatory,
  ...emergency,
  ...portal,
  ...operations,
  ...ledger,
  ...deliveryWords,
  ...identity,
  ...keeping,
  ...orders,
  ...quality,
  ...rules,
  ...roster,
  ...account,
  ...agreements,
  ...audit,
  ...session,
  ...siteTests,
  ...tokens,
  ...verification,
  ...critical,
  ...people,
  ...phone,
  ...retakes,
  ...consultations,
  ...preliminary,
  ...procedures,
};

export type Catalogue = typeof catalogue;
export type TextKey = keyof Catalogue;

type Names<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;

/** The parameters that a text needs, read from its Chinese form; a test holds the English form to the same ones. */
export type Parameters<Key extends TextKey> = Record<Names<Catalogue[Key][0]>, string | number>;

/** Returns the text of `key` in `language` with its parameters filled in. */
export function textOf<Key extends TextKey>(language: Language, key: Key, parameters?: Parameters<Key>): string {
  const entry: Entry = catalogue[key];
  const text = entry[language === 'zh-CN' ? 0 : 1];
  if (parameters === undefined) return text;
  const values: Record<string, string | number> = parameters;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The keys of texts without parameters. */
export type PlainKey = { [Key in TextKey]: keyof Parameters<Key> extends never ? Key : never }[TextKey];

/** Whether the catalogue has a text without parameters under `key`; for words that come from the server. */
export function isPlainKey(key: string): key is PlainKey {
  return Object.hasOwn(catalogue, key) && !catalogue[key as TextKey][0].includes('{');
}
