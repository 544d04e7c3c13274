import { useEffect, useRef } from 'react';

/** Keys by name (`j`, `Enter`, `/`, `ctrl+Enter`, `alt+1`); a handler that returns false lets the key pass on. */
export type Shortcuts = Readonly<Record<string, (() => void) | (() => boolean)>>;

function nameOf(event: KeyboardEvent): string {
  const modifiers = [
    event.ctrlKey || event.metaKey ? 'ctrl+' : '',
    event.altKey ? 'alt+' : '',
    event.shiftKey && event.key.length > 1 ? 'shift+' : '',
  ].join('');
  // With Alt held, some layouts give another character; the digit's place is what counts.
  const digit = event.altKey ? /^Digit(\d)$/.exec(event.code)?.[1] : undefined;
  return modifiers + (digit ?? event.key);
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return (
    target.isContentEditable ||
    target.matches('input, textarea, select') ||
    target.closest('[role=dialog], [role=listbox], [role=menu]') !== null
  );
}

/** Whether the key would press what has the focus anyway. */
function pressesFocused(event: KeyboardEvent): boolean {
  return (
    event.key === 'Enter' &&
    event.target instanceof HTMLElement &&
    event.target.matches('button, a, [role=button], [role=tab]')
  );
}

/**
 * Listens for shortcuts on the whole page. Keys without Ctrl or Alt are left alone while
 * somebody types or a dialog is open.
 */
export function useShortcuts(shortcuts: Shortcuts): void {
  const current = useRef(shortcuts);
  useEffect(() => {
    current.current = shortcuts;
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.isComposing) return;
      const name = nameOf(event);
      const handler = current.current[name];
      if (handler === undefined) return;
      const bare = !name.startsWith('ctrl+') && !name.startsWith('alt+');
      if (bare && (isTyping(event.target) || pressesFocused(event))) return;
      if (handler() !== false) event.preventDefault();
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, []);
}
