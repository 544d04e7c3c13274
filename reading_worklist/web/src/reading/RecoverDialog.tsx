import { Button, Modal } from 'antd';

import type { ReportText, WorkitemDetail } from '../api/types';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import type { KeptDraft } from './draftKeeper';
import { ReportTextView } from './ReportTextView';

/** After a crash or a lost session: what this computer kept beside what the server has, and the doctor chooses. */
export function RecoverDialog({
  item,
  kept,
  server,
  revision,
  onRestore,
  onDiscard,
}: {
  item: WorkitemDetail;
  kept: KeptDraft;
  server: ReportText;
  revision: number;
  onRestore: () => void;
  onDiscard: () => void;
}) {
  const { t } = useLanguage();
  return (
    <Modal
      open
      closable={false}
      keyboard={false}
      mask={{ closable: false }}
      width={860}
      title={t('recover.title')}
      footer={[
        <Button key="discard" onClick={onDiscard}>
          {t('recover.discard')}
        </Button>,
        <Button key="restore" type="primary" autoFocus onClick={onRestore}>
          {t('recover.restore')}
        </Button>,
      ]}
    >
      <p>{t('recover.text', { time: formatDateTime(kept.at) })}</p>
      {kept.revision !== revision && <p className="strong">{t('recover.changed')}</p>}
      <div className="conflict">
        <section>
          <h2>{t('recover.kept')}</h2>
          <ReportTextView lane={item.lane} text={kept.content} />
        </section>
        <section>
          <h2>{t('recover.server')}</h2>
          <ReportTextView lane={item.lane} text={server} />
        </section>
      </div>
    </Modal>
  );
}
