//! The words that names of elements are read by.

#[allow(clippy::wildcard_imports)] // the bits
use super::bits::*;

/// Known words of names and the bits they set; Russian words as they are spelt in Latin letters.
#[rustfmt::skip]
pub(super) const WORDS: &[(u64, &str)] = &[
    (
        COMMENT,
        "comment comments comm cmt reply replies disqus commentlist commentary respond kommentar \
               kommentarii kommentariy comentarios comentario commenter otvet responses discussion",
    ),
    (
        FOOTER,
        "footer foot ftr bottom colophon podval copyright copy legal",
    ),
    (
        NAV,
        "nav navigation navbar navi menu menus mainmenu submenu topnav subnav dropdown sitemap skip menuitem",
    ),
    (CRUMBS, "breadcrumb breadcrumbs crumb crumbs crumbtrail pathway"),
    (
        SHARE,
        "share shares sharing social addthis soc socials like likes sharethis shareaholic follow bookmark \
             bookmarks facebook twitter vk telegram yashare pluso uptolike addtoany",
    ),
    (
        RELATED,
        "related recommended recommend recommendations recommendation similar more readmore popular \
               trending suggestions suggested recent latest outbrain taboola pohozhie pohojie smotri seealso \
               upsell crosssell linked mostread",
    ),
    (
        SIDEBAR,
        "sidebar side rail aside sidebars sb secondary complementary bok",
    ),
    (
        CONTENT,
        "content contents text txt cont tekst kontent copytext prose richtext markdown md rte wysiwyg rtf",
    ),
    (
        ARTICLE,
        "article articles story stories news new novost novosti statya statja stat artikel articolo art \
               newsarticle blogpost",
    ),
    (
        POST,
        "post posts entry message msg topic thread blog hentry forum posting messages question answer answers",
    ),
    (
        HEADER,
        "header head hdr top masthead banner logo brand shapka hero jumbotron",
    ),
    (META, "meta byline info details infobar postmeta data credits"),
    (
        DATE,
        "date time published timestamp datetime pubdate posted data_ updated modified dateline ago",
    ),
    (AUTHOR, "author byline authors writer avtor bio vcard contributor"),
    (
        TAGS,
        "tag tags category categories keyword keywords label labels topics rubric rubrics cat tagcloud chips",
    ),
    (
        TITLE,
        "title headline heading caption name zag zagolovok subtitle subheading kicker",
    ),
    (
        CAPTION,
        "caption figcaption image photo img foto credit gallery picture figure thumb thumbnail media video",
    ),
    (
        AD,
        "ad ads adv advert advertisement adsense sponsor sponsored adfox reklama banner banners dfp gpt adslot \
          advertising adbox sponsors direct affiliate",
    ),
    (
        PROMO,
        "promo newsletter subscribe subscription signup cta mailchimp optin podpiska promotion teaser \
             offer paywall trial donate",
    ),
    (
        COOKIE,
        "cookie cookies consent gdpr privacy onetrust ccpa cmp cookiebot",
    ),
    (
        MODAL,
        "modal popup overlay lightbox tooltip drawer offcanvas popover toast alert notification notice \
             fancybox dialog snackbar",
    ),
    (
        FORM,
        "form search login register input signin auth field poll vote opros searchform filter filters facet \
            facets sort select checkbox",
    ),
    (
        ITEM,
        "list items item grid card cards tile tiles listing collection results result feed archive lenta row",
    ),
    (
        PRODUCT,
        "product products price prices sku cart buy spec specs specification specifications basket shop \
               variant variants add tovar cena checkout purchase pdp plp",
    ),
    (
        DESC,
        "description desc summary excerpt lead intro abstract teaser anons standfirst lede deck annotation \
            overview about preview",
    ),
    (
        REVIEW,
        "review reviews rating ratings stars otzyv otzyvy otziv testimonial testimonials feedback rate score",
    ),
    (
        WIDGET,
        "widget block module box panel portlet plugin component blok gadget",
    ),
    (MAIN, "main primary page maincontent central center middle"),
    (
        HIDDEN,
        "hidden hide invisible hid d-none visuallyhidden none screenreader offscreen",
    ),
    (
        USER,
        "user profile avatar nick nickname username member account userinfo poster signature sig person",
    ),
    (
        PAGER,
        "pager pagination paging next prev previous older newer paginator pages",
    ),
    (
        TOOLS,
        "tool tools toolbar print button btn controls action actions buttons toggle links link edit icon \
             icons counter stat stats views",
    ),
    (TOC, "toc tableofcontents outline onthispage anchors index"),
    (
        QUOTE,
        "quote blockquote cite citation pullquote pull cytata citata bbcode",
    ),
    (
        CODE,
        "code highlight pre syntax prettyprint hljs codeblock source snippet console",
    ),
    (
        FAQ,
        "faq accordion faqs collapse collapsible expand expandable tab tabs tabpanel panels",
    ),
    (COLUMN, "left right col column columns lcol rcol span colonna"),
    (
        SLIDER,
        "carousel slider slide slides swiper slick slideshow ticker marquee",
    ),
    (WRAP, "wrapper container inner layout wrap outer holder body"),
];

/// Words run together or joined by punctuation that name the very body of a text.
#[rustfmt::skip]
pub(super) const BODIES: &[&str] = &[
    "articlebody", "entrycontent", "postcontent", "postbody", "articlecontent", "articletext", "storybody",
    "newstext", "fulltext", "storycontent", "newsbody", "newscontent", "bodytext", "bodycopy",
    "contentbody", "entrybody", "posttext", "articlemain", "blogcontent", "newsdetail", "detailtext",
    "reviewbody", "messagebody", "textbody", "maintext", "storytext", "articletxt", "newsitemtext",
    "itemtext", "textcontent", "pagecontent", "markdownbody", "articlecopy", "richtext", "proseme",
    "singlecontent", "thecontent", "contenttext", "newsfull", "fullstory", "fullnews", "blogpostbody",
    "topiccontent", "cooked", "commentbody", "bbwrapper", "itemfulltext",
];

/// What a body never is, whatever else the name says.
pub(super) const NOT_BODY: u64 = COMMENT
    | FOOTER
    | NAV
    | SHARE
    | RELATED
    | SIDEBAR
    | AD
    | PROMO
    | COOKIE
    | MODAL
    | META
    | TAGS
    | WIDGET
    | PAGER;
