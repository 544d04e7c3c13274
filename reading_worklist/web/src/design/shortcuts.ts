import { useEffect, useRef } from 'react';

/** Keys by name (`j`, `Enter`, `/`, `ctrl+Enter`, `alt+1`); a handler that returns false lets the key pass on. */
export type Shortcuts = Readonly<Record<string, (() => void) | (() => boolean)>>;

function nameOf(event: KeyboardEvent): string {
  const modifiers = [
    event.ctrlKey || event.metaKey ? 'ctrl+' : '',
    event.altKey ? 'alt+' : '',
    event.shiftKey && event.key.length > 1 ? 'shift+' : '',
  ].join('');
  // With Alt held, some layouts and systems give another character; then the key's place is what counts.
  const digit = event.altKey ? /^Digit(\d)$/.exec(event.code)?.[1] : undefined;
  const isLetter = /^[a-z]$/i.test(event.key);
  const letter = event.altKey && !isLetter ? /^Key([A-Z])$/.exec(event.code)?.[1] : undefined;
  return (
    modifiers + (digit ?? letter?.toLowerCase() ?? (event.altKey && isLetter ? event.key.toLowerCase() : event.key))
  );
}

/** What holds the focus after a press of the mouse, but takes no text. */
const SWITCHES = '[type=radio], [type=checkbox]';

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return (
    target.isContentEditable ||
    target.matches(`input:not(${SWITCHES}), textarea, select`) ||
    target.closest('[role=dialog], [role=listbox], [role=menu]') !== null
  );
}

/** Whether the key would press or move what has the focus anyway. */
function pressesFocused(event: KeyboardEvent): boolean {
  if (!(event.target instanceof HTMLElement)) return false;
  if (event.target.matches(SWITCHES)) return event.key === ' ' || event.key.startsWith('Arrow');
  return event.key === 'Enter' && event.target.matches('button, a, [role=button], [role=tab]');
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
