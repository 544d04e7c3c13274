import { App } from 'antd';

import { asProblem } from '../api/problem';
import { useLanguage } from '../i18n/language';
import { wordsOf } from '../i18n/problemWords';

type Say = (error: unknown) => void;

/** Says in a corner why the server refused an act that has no dialog of its own. */
export function useRefusal(): Say {
  const { language } = useLanguage();
  const { notification } = App.useApp();
  return (error) => {
    const words = wordsOf(language, asProblem(error));
    notification.error({ title: words.title, description: words.remedy, placement: 'bottomRight' });
  };
}

/** The same in one passing line, for what is no fault: somebody was faster, or nothing is left. */
export function useSetback(): Say {
  const { language } = useLanguage();
  const { message } = App.useApp();
  return (error) => {
    const words = wordsOf(language, asProblem(error));
    void message.warning([words.title, words.remedy].filter((part) => part !== null).join(' '));
  };
}
