import { ArrowLeftOutlined, DesktopOutlined, QuestionCircleOutlined } from '@ant-design/icons';
import { Button, Tooltip } from 'antd';

import type { WorkitemDetail } from '../api/types';
import { ModalityMark, PriorityMark, StateChip } from '../design/Chip';
import { useMinute } from '../design/clock';
import { Due } from '../design/Due';
import { PatientName, SexAge } from '../design/PatientName';
import { formatStudyTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { DoubtButton } from './DoubtButton';

interface ReadingHeaderProps {
  item: WorkitemDetail;
  onBack: () => void;
  onHelp: () => void;
  onSecondWindow?: () => void;
}

/** Who and what is read, always in sight. */
export function ReadingHeader({ item, onBack, onHelp, onSecondWindow }: ReadingHeaderProps) {
  const { t, language } = useLanguage();
  const now = useMinute();
  const { patient, study } = item;
  return (
    <div className="reading-head">
      <Tooltip title={t('keys.back')}>
        <Button type="text" icon={<ArrowLeftOutlined />} aria-label={t('keys.back')} onClick={onBack} />
      </Tooltip>
      <h1 className="reading-patient">
        <PatientName patient={patient} />
      </h1>
      <span className="reading-sex-age">
        <SexAge patient={patient} />
      </span>
      <div className="reading-what">
        <dl className="reading-facts">
          <Fact name={t('patient.id')} value={patient.local_id} />
          <Fact name={t('patient.birthDate')} value={patient.birth_date} />
          <Fact name={t('reading.accession')} value={study.accession_number} />
          <Fact name={t('reading.examined')} value={formatStudyTime(study.study_date, study.study_time, now)} />
          <Fact name={t('worklist.column.site')} value={siteName(language, item.site)} />
        </dl>
        <span className="reading-study">
          <ModalityMark lane={item.lane} modalities={study.modalities} />
          <span className="reading-description" title={study.description ?? undefined}>
            {study.description ?? t('worklist.noDescription')}
          </span>
        </span>
      </div>
      <span className="reading-status">
        <PriorityMark priority={item.priority} />
        {item.versions.length === 0 && <Due item={item} />}
        <StateChip state={item.state} />
        {onSecondWindow !== undefined && (
          <Tooltip title={t('keys.viewer')}>
            <Button icon={<DesktopOutlined />} aria-label={t('keys.viewer')} onClick={onSecondWindow} />
          </Tooltip>
        )}
        <DoubtButton item={item} />
        <Tooltip title={t('keys.title')}>
          <Button icon={<QuestionCircleOutlined />} aria-label={t('keys.title')} onClick={onHelp} />
        </Tooltip>
      </span>
    </div>
  );
}

function Fact({ name, value }: { name: string; value: string | null }) {
  if (value === null || value === '') return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
