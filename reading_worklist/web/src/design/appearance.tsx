import { createContext, type ReactNode, use, useLayoutEffect, useMemo, useState } from 'react';

import { cssVariable, dark, light, type Palette } from './palette';

export type Appearance = 'light' | 'dark';

const STORAGE_KEY = 'rdc.appearance';

interface AppearanceContext {
  appearance: Appearance;
  palette: Palette;
  setAppearance: (appearance: Appearance) => void;
}

const Context = createContext<AppearanceContext | null>(null);

function remembered(): Appearance {
  return localStorage.getItem(STORAGE_KEY) === 'dark' ? 'dark' : 'light';
}

/** Gives all pages one appearance, which this browser remembers, as CSS variables on the root element. */
export function AppearanceProvider({ children }: { children: ReactNode }) {
  const [appearance, setAppearance] = useState(remembered);
  const palette = appearance === 'dark' ? dark : light;

  useLayoutEffect(() => {
    localStorage.setItem(STORAGE_KEY, appearance);
    const root = document.documentElement;
    root.style.colorScheme = appearance;
    for (const [name, value] of Object.entries(palette) as [keyof Palette, string][]) {
      root.style.setProperty(cssVariable(name), value);
    }
  }, [appearance, palette]);

  const value = useMemo(() => ({ appearance, palette, setAppearance }), [appearance, palette]);
  return <Context value={value}>{children}</Context>;
}

/** The appearance of the page and how to change it. */
export function useAppearance(): AppearanceContext {
  const context = use(Context);
  if (context === null) throw new Error('useAppearance outside of AppearanceProvider');
  return context;
}
