//! Cue words of boilerplate.

/// Kinds of cue words; each is a feature. The last is the function words of a language.
pub const CUES: &[(&str, &str)] = &[
    (
        "share",
        "share tweet facebook twitter whatsapp telegram vk вконтакте поделиться поделитесь одноклассники \
               pinterest linkedin email reddit твитнуть нравится мой живой instagram",
    ),
    (
        "comment",
        "comment comments reply replies комментарий комментарии комментариев комментировать отзывы отзыв \
                 ответить обсуждение обсудить комментария комментарі respond responses discussion",
    ),
    (
        "related",
        "related recommended popular trending similar also читайте также похожие теме материалы популярное \
                 новости смотрите интересное другие more latest further recent ещё еще most последние самое \
                 лучшее предыдущая следующая previous next",
    ),
    (
        "subscribe",
        "subscribe newsletter subscription подписаться подпишитесь подписка рассылка sign inbox updates \
                   рассылку rss join follow",
    ),
    (
        "cookie",
        "cookie cookies consent privacy gdpr куки файлы конфиденциальности policy accept preferences персональных",
    ),
    (
        "copyright",
        "copyright © rights reserved права защищены перепечатка использование материалов ссылка ссылки \
                   гиперссылка обязательна редакция сми разрешения свидетельство регистрации terms",
    ),
    (
        "ad",
        "advertisement sponsored реклама рекламы партнеров партнёров партнеры ad ads adverts promoted affiliate",
    ),
    (
        "login",
        "login log signin register account password войти вход регистрация пароль авторизация \
               зарегистрироваться забыли имя логин username авторизуйтесь",
    ),
    (
        "tags",
        "tags tag теги тэги метки рубрика рубрики категория категории category categories filed topics ключевые \
              раздел разделы",
    ),
    (
        "source",
        "source источник photo фото credit via courtesy image images getty reuters иллюстрация фотография \
                интерфакс риа тасс",
    ),
    (
        "author",
        "by author автор written posted contributor editor корреспондент опубликовал опубликовано добавил \
                published updated прислал разместил",
    ),
    (
        "date",
        "january february march april may june july august september october november december jan feb mar apr \
              jun jul aug sep sept oct nov dec ago января февраля марта апреля мая июня июля августа сентября октября \
              ноября декабря сегодня вчера назад today yesterday am pm monday tuesday wednesday thursday friday \
              saturday sunday понедельник вторник среда четверг пятница суббота воскресенье utc gmt",
    ),
    (
        "more",
        "read continue learn view click here подробнее далее читать узнать полностью see show load подробности",
    ),
    (
        "nav",
        "home menu search contact about главная поиск меню контакты карта сайта нас help faq версия печати \
             распечатать print skip back top наверх вверх назад архив форум блоги",
    ),
    (
        "shop",
        "cart price buy add shipping checkout купить цена корзина руб грн корзину доставка sale stock wishlist \
              delivery returns quantity qty usd eur $ € £",
    ),
    (
        "forum",
        "quote posts joined member members thread topic likes сообщение сообщений тема темы цитата \
               пользователь posted wrote reputation solution answered votes answer question guest гость",
    ),
    (
        "views",
        "views просмотров просмотры shares оценка рейтинг rating votes голосов reviews прочтений min минут \
               просмотра",
    ),
    (
        "person",
        "i my me mine im you your yours thanks thank lol hi hello love я мне меня мой моя мои ты вы вам вас ваш \
                спасибо привет здравствуйте согласен думаю",
    ),
    (
        "stop",
        "the of and to in is that for it as was with be on not he his but at are this have from or had an they \
              which you were her she there would their we him been has when who will no if out so и в не на я быть он \
              с что а по это она этот к но они мы весь который из у то за свой от так о для ты же все тот может вы \
              человек такой его только или ещё бы себя один как уже до если при их время чтобы этого также і та що \
              це як з від до був або ні й була der die und das den von zu mit sich des auf für ist im dem nicht ein \
              eine als auch es an werden aus er hat dass sie nach wird bei le la les et des en un du une que est \
              pour qui dans par plus pas au sur ne se ce il sont el los las del con una su por lo como más o sus di \
              che è per un della i in nel alla w z na się nie do to że jest o jak po ale co od za przez był są",
    ),
];

/// Index of the function words in [`CUES`].
pub const STOP: usize = CUES.len() - 1;
/// Number of cue kinds that are features.
pub const CUE_COUNT: usize = CUES.len();
