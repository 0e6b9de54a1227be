//! What is refused, in French.

use catalog::{CodeError, CustomerField, Language, Role};
use money::{Money, MoneyError, QuantityError};

use super::{Refusal, Why};
use crate::name_of_tender;

fn amount(amount: &Money) -> String {
    Language::French.decimal(&amount.to_string())
}

fn day(iso: &str) -> String {
    Language::French.day(iso)
}

/// As it follows "par".
fn tender(kind: &str) -> String {
    match kind {
        "account" => "achat à crédit".to_owned(),
        _ => name_of_tender(kind, Language::French).map_or(kind.to_owned(), str::to_lowercase),
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Cashier => "un caissier",
        Role::Supervisor => "un responsable de caisse",
        Role::Manager => "le directeur du magasin",
    }
}

/// The message, and what the person can do next.
pub(super) fn said(refusal: &Refusal) -> (String, &'static str) {
    match refusal {
        Refusal::NotSignedIn => (
            "Personne n'est connecté à cette caisse.".to_owned(),
            "Connectez-vous avec votre numéro et votre code.",
        ),
        Refusal::AlreadySignedIn { name } => (
            format!("{name} est déjà connecté à cette caisse."),
            "Fermez d'abord cette session.",
        ),
        Refusal::WrongPin => (
            "Ce numéro et ce code ne correspondent pas.".to_owned(),
            "Saisissez les deux à nouveau. Le directeur peut donner un nouveau code.",
        ),
        Refusal::TooManyWrongPins { seconds } => (
            format!("Trop de codes erronés pour ce numéro. Réessayez dans {seconds} s."),
            "Attendez, puis saisissez les deux à nouveau. Le directeur peut donner un nouveau code.",
        ),
        Refusal::NotInStoreYet { lanes } => (
            format!("Une version plus ancienne sur {lanes} ne connaît pas encore cela."),
            "Continuez sans, jusqu'à la mise à jour de cette version.",
        ),
        Refusal::SaleOpen => (
            "Une vente est en cours.".to_owned(),
            "Terminez d'abord la vente ou annulez-la.",
        ),
        Refusal::NoSale => (
            "Aucune vente n'est en cours.".to_owned(),
            "Scannez un article pour commencer.",
        ),
        Refusal::Paying { paid, due } => (
            format!(
                "Le paiement a commencé : {} payés sur {}.",
                amount(paid),
                amount(due)
            ),
            "Encaissez le reste ou revenez à la vente.",
        ),
        Refusal::NotPaying => (
            "Le paiement n'a pas commencé.".to_owned(),
            "Appuyez d'abord sur Payer.",
        ),
        Refusal::UnknownCode { scanned } => (
            format!("Aucun article n'a le code {scanned}."),
            "Vérifiez le numéro ou cherchez l'article par son nom.",
        ),
        Refusal::BadCode { reason, .. } => (
            why(reason),
            "Scannez à nouveau ou saisissez le numéro sous les barres.",
        ),
        Refusal::WeightNeeded { description, .. } => (
            format!("{description} se vend au poids."),
            "Posez-le sur la balance ou saisissez le poids en kilogrammes.",
        ),
        Refusal::PriceNeeded { description, .. } => (
            format!("{description} n'a pas de prix propre."),
            "Saisissez son prix.",
        ),
        Refusal::PriceIsSet { description } => (
            format!("{description} a un prix propre."),
            "Scannez-le sans prix. Un responsable peut en mettre un autre sur la ligne.",
        ),
        Refusal::SerialNeeded { description, .. } => (
            format!("{description} se vend avec son numéro de série."),
            "Scannez ou saisissez le numéro de série de la pièce.",
        ),
        Refusal::SerialTwice {
            description,
            serial,
        } => (
            format!("{description} avec le numéro de série {serial} est déjà dans cette vente."),
            "Prenez la pièce suivante ou vérifiez le numéro.",
        ),
        Refusal::OtherSerial { description } => (
            format!("{description} de ce ticket a un autre numéro de série."),
            "Cherchez la ligne avec le numéro de la marchandise ; n'en reprenez pas d'autre.",
        ),
        Refusal::LinkedLine { with } => (
            format!("Cela se vend avec la ligne {with}."),
            "Modifiez ou annulez cette ligne-là : celle-ci la suit.",
        ),
        Refusal::LinkedMissing { description, item } => (
            format!(
                "{description} se vend avec l'article {item}, qui ne peut pas être vendu ainsi."
            ),
            "Le directeur doit importer cet article, à la pièce et avec un prix.",
        ),
        Refusal::BadBirth { born } => (
            format!("{born} n'est pas une date de naissance."),
            "Écrivez-la ainsi : 1999-12-31.",
        ),
        Refusal::AgeCheck {
            description, years, ..
        } => (
            format!("{description} : l'acheteur doit avoir au moins {years} ans."),
            "Vérifiez l'âge de l'acheteur, puis confirmez.",
        ),
        Refusal::Expired {
            description,
            expires,
        } => (
            format!("{description} est périmé depuis le {}.", day(expires)),
            "Retirez-le du rayon et proposez-en un autre au client.",
        ),
        Refusal::Recalled {
            description,
            reason,
        } => (
            format!("{description} fait l'objet d'un rappel : {reason}"),
            "Ne le remettez pas au client et prévenez le directeur.",
        ),
        Refusal::CouponUnknown { coupon } => (
            format!("Aucune promotion n'accepte ici le bon {coupon}."),
            "Rendez-le ; le directeur peut interroger le siège.",
        ),
        Refusal::CouponNotNow { coupon, good } => (
            format!("Le bon {coupon} est valable {}.", why(good)),
            "Rendez-le au client.",
        ),
        Refusal::CouponTwice { coupon } => (
            format!("Le bon {coupon} a déjà été remis."),
            "Continuez la vente.",
        ),
        Refusal::CouponUsed { coupon, receipt } => (
            format!("Le bon {coupon} a été utilisé sur le ticket {receipt}."),
            "Gardez-le, et demandez à un responsable si le client conteste.",
        ),
        Refusal::NoSuchOffer { number } => (
            format!("Il n'y a pas de bon ni de remise {number} dans cette vente."),
            "Choisissez parmi ceux qui sont affichés.",
        ),
        Refusal::DiscountTooLarge => (
            "C'est plus que ce que quiconque peut remettre à la main.".to_owned(),
            "Remettez moins. Ce que chaque rôle peut donner figure dans les promotions du magasin.",
        ),
        Refusal::BadTender => (
            "Ce n'est pas un nom de moyen de paiement.".to_owned(),
            "Écrivez-le ainsi : store-card.",
        ),
        Refusal::OtherPrice {
            tender: kind,
            told,
            due,
        } => (
            format!(
                "Payé par {}, cela coûte {} ; le client s'est vu annoncer {}.",
                tender(kind),
                amount(due),
                amount(told)
            ),
            "Annoncez d'abord ce prix-là, puis encaissez.",
        ),
        Refusal::NoNewerPrices => (
            "La vente a déjà les prix les plus récents.".to_owned(),
            "Continuez la vente.",
        ),
        Refusal::BadQuantity { reason } => (why(reason), "Saisissez un nombre supérieur à zéro."),
        Refusal::BadAmount { reason } => (why(reason), "Saisissez un montant tel que 20.00."),
        Refusal::NoSuchLine { line } => (
            format!("Il n'y a pas de ligne {line} dans cette vente."),
            "Choisissez une ligne affichée.",
        ),
        Refusal::UnknownCustomer { customer } => (
            format!("Il n'y a pas de client {customer}."),
            "Vérifiez le numéro ou continuez sans client.",
        ),
        Refusal::CustomerNeeded => (
            "Une commande a un client.".to_owned(),
            "Indiquez le client, ou créez-le d'abord.",
        ),
        Refusal::CustomerExists { customer } => (
            format!("Il y a déjà un client {customer}."),
            "Dites ce qui est nouveau pour ce client, ou omettez le numéro : la caisse en donne un.",
        ),
        Refusal::BadCustomer { field, reason } => (
            format!("{} : {}.", field_name(*field), why(reason)),
            "Écrivez-le ainsi ou omettez-le.",
        ),
        Refusal::CustomerAsKnown { name } => (
            format!("C'est déjà ce que l'on sait de {name}."),
            "Il n'y a rien d'autre à faire.",
        ),
        Refusal::SameCustomer { customer } => (
            format!("Les deux numéros sont ceux du client {customer}."),
            "Il n'y a rien d'autre à faire.",
        ),
        Refusal::NotAllowed { needs } => (
            format!("Il faut {} pour cela.", role(*needs)),
            "Demandez à un responsable ou au directeur de l'autoriser à cette caisse.",
        ),
        Refusal::CartFull { lines } => (
            format!("La vente a {lines} lignes, le maximum pour une vente."),
            "Terminez cette vente et commencez-en une autre.",
        ),
        Refusal::NothingToPay => (
            "Il n'y a rien à payer dans cette vente.".to_owned(),
            "Scannez d'abord un article, ou annulez la vente.",
        ),
        Refusal::TaxMissing { tax } => (
            format!("La catégorie de taxe {tax} du magasin manque."),
            "Le directeur doit importer les catégories de taxe du magasin.",
        ),
        Refusal::ReasonNeeded => (
            "Un motif est nécessaire.".to_owned(),
            "Dites pourquoi, en quelques mots.",
        ),
        Refusal::NotApprovable => (
            "Cette commande ne peut pas être autorisée pour un autre.".to_owned(),
            "Laissez la personne le faire après s'être connectée.",
        ),
        Refusal::BadNote { reason } => (why(reason), "Écrivez autre chose."),
        Refusal::UnknownSlip { slip } => (
            format!("Aucune vente en attente n'a le numéro {slip}."),
            "Vérifiez le numéro. Elle a pu être reprise à une autre caisse, ou ne pas être encore arrivée ici.",
        ),
        Refusal::DayOpen { day: open } => (
            format!("La journée du {} est ouverte.", day(&open.0)),
            "Clôturez-la d'abord.",
        ),
        Refusal::NoDayOpen => (
            "Aucune journée n'a été ouverte à cette caisse.".to_owned(),
            "Ouvrez d'abord la journée ; sinon, les journées suivent le calendrier.",
        ),
        Refusal::BadDay { day } => (
            format!("{day} n'est pas un jour."),
            "Écrivez-le ainsi : 2026-11-27.",
        ),
        Refusal::DrawerOpen => (
            "Le tiroir est en service et n'a pas été compté.".to_owned(),
            "Comptez d'abord le tiroir.",
        ),
        Refusal::NoDrawer => (
            "Aucun tiroir n'est en service à cette caisse.".to_owned(),
            "Ouvrez d'abord le tiroir avec son fonds de caisse.",
        ),
        Refusal::DrawerOfAnother { employee } => (
            format!("Le tiroir est celui de {employee}."),
            "Faites-vous attribuer le tiroir, ou prenez un autre moyen de paiement.",
        ),
        Refusal::UnknownEmployee { employee } => (
            format!("Il n'y a pas d'employé {employee}."),
            "Vérifiez le numéro.",
        ),
        Refusal::UnknownReceipt { receipt } => (
            format!("Aucun ticket {receipt} n'est connu à cette caisse."),
            "Vérifiez le numéro. Une caisse isolée peut l'avoir sans l'avoir encore partagé.",
        ),
        Refusal::NotReturnable { description } => (
            format!("{description} n'est pas repris."),
            "Le directeur décide de ce qui peut être proposé d'autre.",
        ),
        Refusal::AlreadyReturned { description, left } => (
            format!(
                "{description} : il peut encore en être rendu {}.",
                Language::French.decimal(left)
            ),
            "Annulez la ligne et ne reprenez pas davantage.",
        ),
        Refusal::NotIdentified => (
            "Sans ticket, la marchandise n'est reprise qu'à une personne identifiée.".to_owned(),
            "Indiquez le client de la vente, ou la pièce d'identité présentée.",
        ),
        Refusal::ReturnLimit { left } => (
            format!("Sans ticket, il n'est pas rendu plus de {}.", amount(left)),
            "Demandez le ticket, ou reprenez moins. La limite figure dans les réglages du magasin.",
        ),
        Refusal::RefundLimit { tender: kind, left } => (
            format!(
                "Sans ticket, il n'est pas rendu plus de {} par {}.",
                amount(left),
                tender(kind)
            ),
            "Rendez le reste par un autre moyen permis, ou annulez la ligne.",
        ),
        Refusal::KitStock { description } => (
            format!("{description} est un lot : ce sont ses éléments qui sont en stock."),
            "Faites le mouvement de ses éléments.",
        ),
        Refusal::PlaceNeeded => (
            "Un transfert nomme le magasin où il va ou d'où il vient.".to_owned(),
            "Dites quel magasin, par son nom ou son numéro.",
        ),
        Refusal::InTraining => (
            "Cette caisse est en formation.".to_owned(),
            "Terminez d'abord la formation.",
        ),
        Refusal::NotInTraining => (
            "Cette caisse n'est pas en formation.".to_owned(),
            "Continuez à vendre.",
        ),
        Refusal::ReturnLine => (
            "Cette ligne reprend de la marchandise.".to_owned(),
            "Annulez la ligne et reprenez la marchandise à nouveau.",
        ),
        Refusal::OverTender { left } => (
            format!("Il ne peut être pris plus de {}.", amount(left)),
            "Prenez ce montant. Ce sur quoi la monnaie est rendue figure dans les réglages du magasin.",
        ),
        Refusal::TenderTooSmall {
            tender: kind,
            least,
        } => (
            format!(
                "Par {}, il est payé au moins {}.",
                tender(kind),
                amount(least)
            ),
            TAKE_THAT,
        ),
        Refusal::TenderTooLarge { tender: kind, left } => (
            format!(
                "Par {}, il ne peut être payé plus de {} sur cette vente.",
                tender(kind),
                amount(left)
            ),
            TAKE_THAT,
        ),
        Refusal::TenderWhole { tender: kind, left } => (
            format!(
                "Par {}, la totalité des {} est payée.",
                tender(kind),
                amount(left)
            ),
            TAKE_THAT,
        ),
        Refusal::NotForRefunds => (
            "L'argent n'est pas rendu de cette façon.".to_owned(),
            "Rendez des espèces ou un avoir, ou déduisez-le du compte.",
        ),
        Refusal::CurrencyNotTaken { currency } => (
            format!("{currency} n'est pas accepté ici."),
            "Prenez une devise dont le cours figure dans les réglages du magasin.",
        ),
        Refusal::BadNumber => (
            "Ce numéro ne peut pas être conservé.".to_owned(),
            "Saisissez des lettres, chiffres et tirets, 40 au plus, et pas de numéro de carte.",
        ),
        Refusal::UnknownCredit { number } => (
            format!("Il n'y a pas d'avoir {number}."),
            "Vérifiez le numéro sur l'avoir.",
        ),
        Refusal::CreditTooSmall { left } => (
            format!("Il reste {} sur l'avoir.", amount(left)),
            REST_OTHERWISE,
        ),
        Refusal::UnknownGiftCard { number } => (
            format!("Il n'y a pas de carte cadeau {number}."),
            "Vérifiez le numéro sur la carte ; elle a un solde une fois vendue et payée.",
        ),
        Refusal::GiftCardTooSmall { left } => (
            format!("Il reste {} sur la carte cadeau.", amount(left)),
            REST_OTHERWISE,
        ),
        Refusal::GiftCardCutOff => (
            "Cette caisse est coupée du magasin : la carte cadeau peut être dépensée ailleurs."
                .to_owned(),
            UNTIL_TOGETHER,
        ),
        Refusal::GiftCardNeeded { description, .. } => (
            format!("{description} se charge sur une carte, dont le numéro est nécessaire."),
            "Scannez ou saisissez le numéro de la carte.",
        ),
        Refusal::GiftCardLine { description } => (
            format!("{description} coûte ce qui est chargé sur la carte."),
            "Annulez la ligne et chargez un autre montant.",
        ),
        Refusal::NoPoints => (
            "Les points ne paient rien dans cette vente.".to_owned(),
            "Indiquez d'abord le client. La valeur des points figure dans les réglages du magasin.",
        ),
        Refusal::PointsTooFew { points, step } => (
            format!("Le client a {points} points, et il en faut au moins {step} pour payer."),
            "N'en prenez pas plus, et encaissez le reste autrement.",
        ),
        Refusal::PointsCutOff => (
            "Cette caisse est coupée du magasin : les points peuvent être dépensés ailleurs."
                .to_owned(),
            UNTIL_TOGETHER,
        ),
        Refusal::NoAccount => (
            "La vente n'a pas de client qui puisse acheter à crédit.".to_owned(),
            "Indiquez d'abord le client, ou prenez un autre moyen de paiement.",
        ),
        Refusal::NoSuchTender { number } => (
            format!("Il n'y a pas de paiement {number} dans cette vente."),
            "Choisissez un paiement affiché.",
        ),
        Refusal::NoTerminal => (
            "Cette caisse n'a pas de terminal de paiement.".to_owned(),
            "Prenez un autre moyen de paiement. Le terminal est indiqué à la caisse à son démarrage.",
        ),
        Refusal::CardOpen { amount: open } => (
            format!("Le terminal de paiement traite {}.", amount(open)),
            "Attendez sa réponse. L'opération peut être annulée, et en cas de doute confiée à une personne.",
        ),
        Refusal::NoCardOpen => (
            "Rien n'est demandé au terminal de paiement.".to_owned(),
            "Continuez la vente.",
        ),
        Refusal::CardPaid { number } => (
            format!("Le paiement {number} a été fait par carte."),
            "Rendez d'abord ce paiement.",
        ),
        Refusal::CardRefunded => (
            "Cela a été recrédité sur la carte.".to_owned(),
            "Terminez le retour ; une nouvelle vente peut débiter la carte à nouveau.",
        ),
        Refusal::NoCardToRefund => (
            "Aucune carte n'a payé ce qui revient, ou tout lui a été rendu.".to_owned(),
            "Rendez le reste en espèces ou en avoir.",
        ),
        Refusal::NoTips => (
            "Aucun pourboire n'est accepté ici.".to_owned(),
            "Débitez sans pourboire. Les réglages du magasin peuvent les permettre.",
        ),
    }
}

const TAKE_THAT: &str =
    "Prenez ce montant, ou un autre moyen de paiement. Les réglages du magasin le veulent ainsi.";
const REST_OTHERWISE: &str = "Prenez ce montant, et le reste autrement.";
const UNTIL_TOGETHER: &str = "Prenez un autre moyen de paiement, ou mettez la vente en attente jusqu'à ce que les caisses soient réunies.";

fn why(why: &Why) -> String {
    match why {
        Why::Money(error) => amount_error(error),
        Why::Quantity(error) => quantity_error(error),
        Why::Code(error) => code_error(error),
        Why::Field { field, .. } => format!("à écrire ainsi : {}", field_form(*field)),
        Why::LooksLikeCard => "cela ressemble à un numéro de carte bancaire".to_owned(),
        Why::CardNumber => {
            "Cela ressemble à un numéro de carte, et aucun ne peut être conservé.".to_owned()
        }
        Why::CouponNoGoods => "C'est un bon de réduction, et non un article.".to_owned(),
        Why::GoodFrom(from) => format!("à partir du {}", day(from)),
        Why::GoodUntil(until) => format!("jusqu'au {}", day(until)),
        Why::Negative(what) => format!("{} est négatif.", amount(what)),
        Why::LineTooDear { quantity, price } => format!(
            "{} à {} dépasse ce qu'une ligne peut coûter.",
            Language::French.decimal(&quantity.to_string()),
            amount(price)
        ),
        Why::TendersFull(most) => format!("Une vente se paie en {most} parties au plus."),
        Why::TooMuchCash(what) => format!(
            "{} dépasse ce qu'un tiroir contient en espèces.",
            amount(what)
        ),
        Why::GiveBackAtMost(most) => format!("Il n'y a pas plus de {} à rendre.", amount(most)),
        Why::NothingHandedOver => "Rien n'a été remis.".to_owned(),
        Why::SayHowMuch(currency) => format!("Dites combien de {currency} a été remis."),
        Why::ForeignNotTaken(given) => format!(
            "{} {} ne peut pas être pris.",
            amount(given),
            given.currency()
        ),
        Why::NoRate(currency) => format!("Le cours de {currency} n'est pas utilisable."),
        Why::NothingToCharge => "Il n'y a rien à débiter.".to_owned(),
        Why::TipTooLarge => "Un pourboire ne dépasse pas ce qui est payé.".to_owned(),
        Why::ToCard(most) => {
            format!(
                "De 0,01 à {} peuvent revenir sur cette carte.",
                amount(most)
            )
        }
        Why::NothingMoved => "Rien ne serait déplacé.".to_owned(),
        Why::MoreThanInDrawer(what) => format!(
            "{} dépasse ce qui devrait être dans le tiroir.",
            amount(what)
        ),
        Why::MoreThanHeld(what) => format!("{} dépasse ce qu'un tiroir contient.", amount(what)),
        Why::CountTooLong(most) => format!("Un comptage a {most} valeurs au plus."),
        Why::NotCountable { pieces, value } => {
            format!("{pieces} pièces de {value} ne peuvent pas être comptées.")
        }
        Why::PointSteps(one) => format!("Les points paient par tranches de {}.", amount(one)),
        Why::NothingCharged => "Rien ne serait facturé.".to_owned(),
        Why::DiscountsFull(most) => {
            format!("Il est accordé {most} remises au plus dans une vente.")
        }
        Why::PercentOrAmount => "Indiquez soit un pourcentage, soit un montant.".to_owned(),
        Why::NothingOff => "Rien ne serait déduit.".to_owned(),
        Why::CouponsOneByOne => "Les bons sont remis un par un.".to_owned(),
        Why::PiecesOneByOne => {
            "Chaque pièce a son propre numéro : vendez-les une par une.".to_owned()
        }
        Why::OnlyPacking { gross, grams } => format!(
            "{} ne dépasse pas l'emballage de {grams} g.",
            Language::French.decimal(&gross.to_string())
        ),
        Why::NotesFull(most) => format!("Il y a déjà {most} notes."),
        Why::NoteEmpty => "La note est vide.".to_owned(),
        Why::DocumentTooLong(most) => {
            format!("Une pièce d'identité est nommée en {most} caractères au plus.")
        }
        Why::Told(words) => words.clone(),
    }
}

fn amount_error(error: &MoneyError) -> String {
    match error {
        MoneyError::NotACurrency(text) => {
            format!("« {text} » n'est pas une devise : écrivez son code ISO 4217, tel que EUR")
        }
        MoneyError::NotAnAmount(text) => {
            format!("« {text} » n'est pas un montant : écrivez-le ainsi : 12.34")
        }
        MoneyError::TooPrecise {
            text,
            digits,
            currency,
        } => format!("« {text} » a plus de {digits} décimales, le maximum pour {currency}"),
        MoneyError::OutOfRange(text) => format!("« {text} » est hors limites"),
        MoneyError::NotARate(text) => format!(
            "« {text} » n'est pas un taux : écrivez un pourcentage de 0 à 100, tel que 8.25"
        ),
    }
}

fn quantity_error(error: &QuantityError) -> String {
    match error {
        QuantityError::NotAQuantity(text) => {
            format!("« {text} » n'est pas une quantité : écrivez un nombre tel que 3 ou 0.455")
        }
        QuantityError::OutOfRange(text) => format!(
            "« {text} » est hors limites : une quantité est supérieure à 0 et au plus de 100000"
        ),
        QuantityError::NotWhole(text) => {
            format!("Cet article se vend à la pièce : « {text} » doit être un nombre entier")
        }
        QuantityError::TooPrecise(text) => {
            format!("« {text} » a plus de trois décimales, plus fin qu'un gramme")
        }
    }
}

fn code_error(error: &CodeError) -> String {
    match error {
        CodeError::Empty => "Rien n'a été scanné".to_owned(),
        CodeError::WrongCheckDigit { text, expected } => {
            format!("Le chiffre de contrôle de {text} est faux (ce serait {expected})")
        }
        CodeError::TooLong => "Le code est trop long : scannez un seul code à la fois".to_owned(),
        CodeError::NotACode(text) => {
            format!("« {text} » n'est pas un code : chiffres, lettres et tirets seulement")
        }
        CodeError::NotAPlu(text) => format!(
            "{text} n'est pas un code PLU : ils vont de 3000 à 4999, avec un 8 ou un 9 devant pour certains"
        ),
        CodeError::NothingEmbedded(text) => format!(
            "L'étiquette {text} ne porte ni prix ni poids : pesez à nouveau ou saisissez le prix"
        ),
        CodeError::WrongValueDigit {
            text,
            found,
            expected,
        } => format!(
            "Le prix ou le poids dans {text} a été mal lu (chiffre de contrôle {found}, ce serait {expected})"
        ),
        CodeError::WrongElement { ai, .. } => {
            format!("La partie ({ai}) du code n'est pas utilisable")
        }
    }
}

fn field_name(field: CustomerField) -> &'static str {
    match field {
        CustomerField::Name => "Nom",
        CustomerField::Phone => "Téléphone",
        CustomerField::Email => "E-mail",
        CustomerField::Birthday => "Anniversaire",
        CustomerField::Consent => "Consentement",
        CustomerField::Tier => "Niveau",
        CustomerField::Groups => "Groupes",
        CustomerField::Contracts => "Contrats",
        CustomerField::Employee => "Employé",
        CustomerField::OnAccount => "Achat à crédit",
        CustomerField::Exemption => "Exonération",
    }
}

fn field_form(field: CustomerField) -> &'static str {
    match field {
        CustomerField::Name => "non vide, une ligne, 200 caractères au plus",
        CustomerField::Phone => "un numéro tel que +33 5 55 01 23 00",
        CustomerField::Email => "une adresse telle que ada@example.org",
        CustomerField::Birthday => "mois et jour, tels que 04-27",
        CustomerField::Consent | CustomerField::Groups | CustomerField::Contracts => {
            "20 noms au plus, séparés par des espaces, tels que club-a club-b"
        }
        CustomerField::Tier => "basic, silver ou gold",
        CustomerField::Employee | CustomerField::OnAccount => "yes ou no",
        CustomerField::Exemption => "une ligne, 200 caractères au plus",
    }
}
