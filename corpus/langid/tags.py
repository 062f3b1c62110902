"""Tags of languages: those that bukvar distinguishes, and what other projects call them."""

from __future__ import annotations


def names(text: str) -> tuple[str, ...]:
    """The words of a text."""
    return tuple(text.split())


def pairs(text: str) -> dict[str, str]:
    """`a=b c=d` as a dict."""
    return dict(pair.split("=") for pair in text.split())


#: Labels of the model's section for Latin script; languages in their other script are marked so.
LATIN = frozenset(
    names("""
    af az ca crh-Latn cs cy da de en eo es et eu fi fr ga gl hr hu id is it kaa-Latn lt lv nb nl
    pl pt ro sk sl sq sr-Latn sv tk tr tt-Latn uz vi
    """)
)

#: Labels of the section for Cyrillic.
CYRILLIC = frozenset(
    names("""
    ab abq ady alt av az-Cyrl ba be bg bua ce cjs ckt crh-Cyrl cu cv eve evn gld inh kaa kbd kjh kk koi kpv
    krc kum ky mdf mhr mk mn myv nio niv nog oaa orv os rsk ru sah sr tab tg tk-Cyrl tt
    tyv udm uk uz-Cyrl xal ykg yrk
    """)
)

#: ISO 639-3 and other names of languages in sources and models -> BCP-47 tags.
TAGS = pairs("""
    bak=ba bel=be bul=bg kaz=kk kir=ky mkd=mk mon=mn khk=mn rus=ru srp=sr srp_cyrl=sr bos_cyrl=sr tat=tt
    tgk=tg ukr=uk oss=os chv=cv abk=ab ava=av che=ce tuk_cyrl=tk-Cyrl uzn_cyrl=uz-Cyrl azj_cyrl=az-Cyrl
    uzb_cyrl=uz-Cyrl aze_cyrl=az-Cyrl be-tarask=be tg-cyrl=tg tt-cyrl=tt kk-cyrl=kk
    sr-ec=sr sr-el=sr-Latn tt-latn=tt-Latn
    crh-latn=crh-Latn kaa-latn=kaa-Latn
    ady-cyrl=ady kbd-cyrl=kbd
    crh-cyrl=crh-Cyrl kv=kpv kom=kpv chm=mhr ruq-cyrl=rup-Cyrl bxr=bua nb-NO=nb ga-IE=ga sv-SE=sv fy-NL=fy
    eng=en deu=de fra=fr spa=es ita=it por=pt nld=nl pol=pl ces=cs slk=sk slv=sl hrv=hr lit=lt lvs=lv
    lav=lv est=et fin=fi swe=sv dan=da nob=nb hun=hu ron=ro tur=tr aze=az uzb=uz ind=id vie=vi epo=eo
    cat=ca eus=eu glg=gl sqi=sq isl=is gle=ga cym=cy afr=af tuk=tk
""")

#: ISO 639-3 -> the shortest code, for the languages that have one and that TAGS does not name.
SHORT = pairs("""
    aar=aa aka=ak amh=am ara=ar arb=ar arg=an asm=as aym=ay bam=bm ben=bn bod=bo bos=bs bre=br chu=cu
    cor=kw cos=co cre=cr div=dv dzo=dz ell=el ewe=ee fao=fo fas=fa pes=fa fij=fj fry=fy ful=ff gla=gd
    glv=gv grn=gn guj=gu hat=ht hau=ha heb=he her=hz hin=hi hmo=ho hye=hy ibo=ig ido=io iii=ii iku=iu
    ile=ie ina=ia ipk=ik jav=jv jpn=ja kal=kl kan=kn kas=ks kat=ka kau=kr khm=km kik=ki kin=rw kon=kg
    kor=ko kua=kj kur=ku lao=lo lat=la lim=li lin=ln ltz=lb lub=lu lug=lg mah=mh mal=ml mar=mr mlg=mg
    mlt=mt mri=mi msa=ms zsm=ms mya=my nau=na nav=nv nbl=nr nde=nd ndo=ng nep=ne npi=ne nno=nn nya=ny
    oci=oc oji=oj ori=or ory=or orm=om pan=pa pli=pi pus=ps que=qu roh=rm run=rn sag=sg san=sa sin=si
    sme=se smo=sm sna=sn snd=sd som=so sot=st srd=sc ssw=ss sun=su swa=sw swh=sw tah=ty tam=ta tel=te
    tgl=tl tha=th tir=ti ton=to tsn=tn tso=ts twi=tw uig=ug urd=ur uzn=uz ven=ve vol=vo wln=wa wol=wo
    xho=xh yid=yi ydd=yi yor=yo zha=za zho=zh zul=zu als=sq ekk=et
""")


def tag(label: str) -> str:
    """A fastText model's label as a BCP-47 tag: `__label__rus_Cyrl` -> ru, `__label__srp_Latn` -> sr-Latn.

    The script is written where it is not the one that the language is commonly written in.
    """
    name, _, script = label.removeprefix("__label__").partition("_")
    short = TAGS.get(name) or SHORT.get(name, name)
    if not script or "-" in short:
        return short
    common = "Cyrl" if short in CYRILLIC else script
    return short if script == common else f"{short}-{script}"
