import { Button } from 'antd';

import { useLanguage } from '../i18n/language';
import './writing.css';

/** Another window of this browser writes: this one reads along, until the doctor wants to go on here. */
export function ElsewhereNotice({ taking, onTake }: { taking: boolean; onTake: () => void }) {
  const { t } = useLanguage();
  return (
    <aside className="elsewhere" role="status">
      <div>
        <p className="strong">{t('writing.elsewhere.title')}</p>
        <p>{t(taking ? 'writing.elsewhere.taking' : 'writing.elsewhere.text')}</p>
      </div>
      <Button type="primary" loading={taking} onClick={onTake}>
        {t('writing.elsewhere.take')}
      </Button>
    </aside>
  );
}
