"""The codes that a new installation begins with. Afterwards they are its own: renamed, retired, added to."""

from typing import Final

from cti.model.dictionaries import DictionaryEntry, DictionaryKind, Meaning

_K, _M = DictionaryKind, Meaning

_CODES: Final[tuple[tuple[DictionaryKind, str, str, str, tuple[Meaning, ...]], ...]] = (
    (_K.DISPOSITIONS, "sale", "Sale", "成交", (_M.FINAL, _M.SUCCESS)),
    (_K.DISPOSITIONS, "interested", "Interested", "有意向", ()),
    (_K.DISPOSITIONS, "callback", "Call back", "需回电", (_M.CALLBACK,)),
    (_K.DISPOSITIONS, "not_interested", "Not interested", "无意向", (_M.FINAL,)),
    (_K.DISPOSITIONS, "wrong_person", "Wrong person", "非本人", ()),
    (_K.DISPOSITIONS, "wrong_number", "Wrong number", "错号", (_M.FINAL,)),
    (_K.DISPOSITIONS, "machine", "Answering machine", "语音信箱", ()),
    (_K.DISPOSITIONS, "do_not_call", "Do not call", "拒绝来电", (_M.FINAL, _M.DO_NOT_CALL)),
    (_K.DISPOSITIONS, "complaint", "Complaint", "投诉", (_M.FINAL, _M.NEEDS_NOTE)),
    (_K.DISPOSITIONS, "other", "Other", "其他", (_M.NEEDS_NOTE,)),
    (_K.PAUSE_CODES, "pause", "Pause", "暂停", ()),
    (_K.PAUSE_CODES, "coffee", "Coffee", "休息", ()),
    (_K.PAUSE_CODES, "lunch", "Lunch", "午餐", ()),
    (_K.PAUSE_CODES, "meeting", "Meeting", "会议", ()),
    (_K.PAUSE_CODES, "training", "Training", "培训", ()),
    (_K.PAUSE_CODES, "paperwork", "Paperwork", "文书工作", ()),
    (_K.STAGES, "new", "New", "新线索", ()),
    (_K.STAGES, "contacted", "Contacted", "已联系", ()),
    (_K.STAGES, "interested", "Interested", "有意向", ()),
    (_K.STAGES, "offer", "Offer made", "已报价", ()),
    (_K.STAGES, "won", "Won", "已成交", ()),
    (_K.STAGES, "lost", "Lost", "已流失", ()),
    (_K.SKIP_REASONS, "skipped", "Skipped", "跳过", ()),
    (_K.SKIP_REASONS, "not_now", "Not now", "稍后再打", ()),
    (_K.SKIP_REASONS, "wrong_person", "Wrong person", "非目标客户", ()),
    (_K.SKIP_REASONS, "known_double", "Known double", "重复客户", ()),
    (_K.SKIP_REASONS, "bad_record", "Record is wrong", "资料有误", ()),
)
"""Tags have no defaults: as long as an installation names none, any tag may be given."""

DEFAULT_CODES: Final = tuple(
    DictionaryEntry(
        kind=kind, code=code, labels={"en": english, "zh": chinese}, meanings=frozenset(meanings), position=at
    )
    for at, (kind, code, english, chinese, meanings) in enumerate(_CODES)
)
