import { createContext, type ReactNode, use, useEffect, useMemo, useState } from 'react';

import { askInLanguage } from '../api/client';
import { type Language, LANGUAGES, type Parameters, type TextKey, textOf } from './catalogue';

const STORAGE_KEY = 'rdc.language';
const DEFAULT: Language = 'zh-CN';

type Translate = <Key extends TextKey>(key: Key, ...parameters: TranslateArguments<Key>) => string;
/** A text without parameters takes none; one with parameters takes all of them. */
type TranslateArguments<Key extends TextKey> = keyof Parameters<Key> extends never ? [] : [Parameters<Key>];

interface LanguageContext {
  language: Language;
  setLanguage: (language: Language) => void;
  t: Translate;
}

const Context = createContext<LanguageContext | null>(null);

/** The language that this browser remembers. */
export function rememberedLanguage(): Language {
  const stored = localStorage.getItem(STORAGE_KEY);
  return LANGUAGES.find((language) => language === stored) ?? DEFAULT;
}

/** Gives all pages one language, which this browser remembers. */
export function LanguageProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState(rememberedLanguage);

  useEffect(() => {
    localStorage.setItem(STORAGE_KEY, language);
    document.documentElement.lang = language;
    document.title = textOf(language, 'app.name');
    askInLanguage(language);
  }, [language]);

  const value = useMemo<LanguageContext>(
    () => ({ language, setLanguage, t: (key, ...parameters) => textOf(language, key, parameters[0]) }),
    [language],
  );
  return <Context value={value}>{children}</Context>;
}

/** The language of the page and the function that gives its texts. */
export function useLanguage(): LanguageContext {
  const context = use(Context);
  if (context === null) throw new Error('useLanguage outside of LanguageProvider');
  return context;
}
