import { App, Button } from 'antd';

/** Copies a text; `copied` says that it is done. Nothing is there where the browser lets no page copy. */
export function CopyButton({ text, label, copied }: { text: string; label: string; copied: string }) {
  const { message } = App.useApp();
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    void message.success(copied);
  };
  // Only pages that came over HTTPS, or from this machine, may write there.
  return isSecureContext ? <Button onClick={() => void copy()}>{label}</Button> : null;
}
