//! What is refused, in Spanish.

use catalog::{CodeError, CustomerField, Language, Role};
use money::{Money, MoneyError, QuantityError};

use super::{Refusal, Why};
use crate::name_of_tender;

fn amount(amount: &Money) -> String {
    Language::Spanish.decimal(&amount.to_string())
}

fn day(iso: &str) -> String {
    Language::Spanish.day(iso)
}

/// As it follows "con".
fn tender(kind: &str) -> String {
    match kind {
        "account" => "compra a cuenta".to_owned(),
        _ => name_of_tender(kind, Language::Spanish).map_or(kind.to_owned(), str::to_lowercase),
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Cashier => "un cajero",
        Role::Supervisor => "un supervisor",
        Role::Manager => "el encargado de la tienda",
    }
}

/// The message, and what the person can do next.
pub(super) fn said(refusal: &Refusal) -> (String, &'static str) {
    match refusal {
        Refusal::NotSignedIn => (
            "Nadie ha iniciado sesión en esta caja.".to_owned(),
            "Inicie sesión con su número y su PIN.",
        ),
        Refusal::AlreadySignedIn { name } => (
            format!("{name} tiene la sesión abierta en esta caja."),
            "Cierre antes esa sesión.",
        ),
        Refusal::WrongPin => (
            "Ese número y ese PIN no coinciden.".to_owned(),
            "Escriba ambos de nuevo. El encargado puede poner un PIN nuevo.",
        ),
        Refusal::TooManyWrongPins { seconds } => (
            format!("Demasiados PIN erróneos para este número. Inténtelo de nuevo en {seconds} s."),
            "Espere y escriba ambos de nuevo. El encargado puede poner un PIN nuevo.",
        ),
        Refusal::NotInStoreYet { lanes } => (
            format!("Una versión anterior en {lanes} todavía no conoce esto."),
            "Siga sin ello hasta que se actualice esa versión.",
        ),
        Refusal::SaleOpen => (
            "Hay una venta abierta.".to_owned(),
            "Termine antes la venta o anúlela.",
        ),
        Refusal::NoSale => (
            "No hay ninguna venta abierta.".to_owned(),
            "Escanee un artículo para empezar.",
        ),
        Refusal::Paying { paid, due } => (
            format!(
                "El pago ha empezado: se han pagado {} de {}.",
                amount(paid),
                amount(due)
            ),
            "Cobre el resto o vuelva a la venta.",
        ),
        Refusal::NotPaying => ("El pago no ha empezado.".to_owned(), "Pulse antes Pagar."),
        Refusal::UnknownCode { scanned } => (
            format!("Ningún artículo tiene el código {scanned}."),
            "Compruebe el número o busque el artículo por su nombre.",
        ),
        Refusal::BadCode { reason, .. } => (
            why(reason),
            "Escanéelo de nuevo o escriba el número que está bajo las barras.",
        ),
        Refusal::WeightNeeded { description, .. } => (
            format!("{description} se vende al peso."),
            "Póngalo en la balanza o escriba el peso en kilogramos.",
        ),
        Refusal::PriceNeeded { description, .. } => (
            format!("{description} no tiene precio propio."),
            "Escriba su precio.",
        ),
        Refusal::PriceIsSet { description } => (
            format!("{description} tiene precio propio."),
            "Escanéelo sin precio. Un supervisor puede poner otro en la línea.",
        ),
        Refusal::SerialNeeded { description, .. } => (
            format!("{description} se vende con su número de serie."),
            "Escanee o escriba el número de serie de la pieza.",
        ),
        Refusal::SerialTwice {
            description,
            serial,
        } => (
            format!("{description} con el número de serie {serial} ya está en esta venta."),
            "Tome la pieza siguiente o compruebe el número.",
        ),
        Refusal::OtherSerial { description } => (
            format!("{description} de ese ticket tiene otro número de serie."),
            "Busque la línea con el número que lleva el artículo; no admita ningún otro.",
        ),
        Refusal::LinkedLine { with } => (
            format!("Eso se vende junto con la línea {with}."),
            "Cambie o anule aquella línea: esta la sigue.",
        ),
        Refusal::LinkedMissing { description, item } => (
            format!(
                "{description} se vende junto con el artículo {item}, que no se puede vender así."
            ),
            "El encargado debe importar ese artículo, por piezas y con precio.",
        ),
        Refusal::BadBirth { born } => (
            format!("{born} no es una fecha de nacimiento."),
            "Escríbala así: 1999-12-31.",
        ),
        Refusal::AgeCheck {
            description, years, ..
        } => (
            format!("{description}: quien lo compre debe tener al menos {years} años."),
            "Compruebe la edad y confírmela.",
        ),
        Refusal::Expired {
            description,
            expires,
        } => (
            format!("{description} caducó el {}.", day(expires)),
            "Retírelo del estante y ofrezca otro al cliente.",
        ),
        Refusal::Recalled {
            description,
            reason,
        } => (
            format!("{description} se ha retirado del mercado: {reason}"),
            "No lo entregue al cliente y avise al encargado.",
        ),
        Refusal::CouponUnknown { coupon } => (
            format!("Ninguna promoción admite aquí el cupón {coupon}."),
            "Devuélvalo; el encargado puede preguntar a la central.",
        ),
        Refusal::CouponNotNow { coupon, good } => (
            format!("El cupón {coupon} vale {}.", why(good)),
            "Devuélvaselo al cliente.",
        ),
        Refusal::CouponTwice { coupon } => (
            format!("El cupón {coupon} ya se ha entregado."),
            "Siga con la venta.",
        ),
        Refusal::CouponUsed { coupon, receipt } => (
            format!("El cupón {coupon} se usó en el ticket {receipt}."),
            "Quédeselo, y pregunte a un supervisor si el cliente protesta.",
        ),
        Refusal::NoSuchOffer { number } => (
            format!("No hay ningún cupón ni descuento {number} en esta venta."),
            "Elija uno de los que se muestran.",
        ),
        Refusal::DiscountTooLarge => (
            "Es más de lo que nadie puede descontar a mano.".to_owned(),
            "Descuente menos. Lo que puede dar cada rol figura en las promociones de la tienda.",
        ),
        Refusal::BadTender => (
            "Eso no es el nombre de una forma de pago.".to_owned(),
            "Escríbalo así: store-card.",
        ),
        Refusal::OtherPrice {
            tender: kind,
            told,
            due,
        } => (
            format!(
                "Pagado con {} cuesta {}, y al cliente se le dijo {}.",
                tender(kind),
                amount(due),
                amount(told)
            ),
            "Diga antes el precio con esa forma de pago y cobre después.",
        ),
        Refusal::NoNewerPrices => (
            "La venta ya tiene los precios más recientes.".to_owned(),
            "Siga con la venta.",
        ),
        Refusal::BadQuantity { reason } => (why(reason), "Escriba un número mayor que cero."),
        Refusal::BadAmount { reason } => (why(reason), "Escriba un importe como 20.00."),
        Refusal::NoSuchLine { line } => (
            format!("No hay ninguna línea {line} en esta venta."),
            "Elija una línea de las que se muestran.",
        ),
        Refusal::UnknownCustomer { customer } => (
            format!("No hay ningún cliente {customer}."),
            "Compruebe el número o siga sin cliente.",
        ),
        Refusal::CustomerNeeded => (
            "Un pedido tiene un cliente.".to_owned(),
            "Indique el cliente o dé de alta antes al cliente.",
        ),
        Refusal::CustomerExists { customer } => (
            format!("Ya hay un cliente {customer}."),
            "Diga qué hay de nuevo en ese cliente, u omita el número: la caja da uno.",
        ),
        Refusal::BadCustomer { field, reason } => (
            format!("{}: {}.", field_name(*field), why(reason)),
            "Escríbalo así u omítalo.",
        ),
        Refusal::CustomerAsKnown { name } => (
            format!("Eso ya se sabe de {name}."),
            "No queda nada por hacer.",
        ),
        Refusal::SameCustomer { customer } => (
            format!("Los dos números son del cliente {customer}."),
            "No queda nada por hacer.",
        ),
        Refusal::NotAllowed { needs } => (
            format!("Para eso hace falta {}.", role(*needs)),
            "Pida a un supervisor o al encargado que lo autorice en esta caja.",
        ),
        Refusal::CartFull { lines } => (
            format!("La venta tiene {lines} líneas, el máximo de una venta."),
            "Termine esta venta y empiece otra.",
        ),
        Refusal::NothingToPay => (
            "No hay nada que pagar en esta venta.".to_owned(),
            "Escanee antes un artículo o anule la venta.",
        ),
        Refusal::TaxMissing { tax } => (
            format!("Falta la categoría de impuesto {tax} de la tienda."),
            "El encargado debe importar las categorías de impuesto de la tienda.",
        ),
        Refusal::ReasonNeeded => (
            "Hace falta un motivo.".to_owned(),
            "Diga por qué en pocas palabras.",
        ),
        Refusal::NotApprovable => (
            "Esa orden no se puede autorizar para otro.".to_owned(),
            "Que lo haga la persona tras iniciar sesión.",
        ),
        Refusal::BadNote { reason } => (why(reason), "Escriba otra cosa."),
        Refusal::UnknownSlip { slip } => (
            format!("Ninguna venta aparcada tiene el resguardo {slip}."),
            "Compruebe el número. Puede haberse retomado en otra caja o no haber llegado aquí todavía.",
        ),
        Refusal::DayOpen { day: open } => (
            format!("La jornada del {} está abierta.", day(&open.0)),
            "Ciérrela antes.",
        ),
        Refusal::NoDayOpen => (
            "No se ha abierto ninguna jornada en esta caja.".to_owned(),
            "Abra antes la jornada; si no, las jornadas siguen el calendario.",
        ),
        Refusal::BadDay { day } => (format!("{day} no es un día."), "Escríbalo así: 2026-11-27."),
        Refusal::DrawerOpen => (
            "El cajón está en uso y no se ha contado.".to_owned(),
            "Cuente antes el cajón.",
        ),
        Refusal::NoDrawer => (
            "No hay ningún cajón en uso en esta caja.".to_owned(),
            "Abra antes el cajón con su fondo de caja.",
        ),
        Refusal::DrawerOfAnother { employee } => (
            format!("El cajón es de {employee}."),
            "Haga que le asignen el cajón o use otra forma de pago.",
        ),
        Refusal::UnknownEmployee { employee } => (
            format!("No hay ningún empleado {employee}."),
            "Compruebe el número.",
        ),
        Refusal::UnknownReceipt { receipt } => (
            format!("En esta caja no se conoce ningún ticket {receipt}."),
            "Compruebe el número. Una caja aislada puede tenerlo y no haberlo compartido aún.",
        ),
        Refusal::NotReturnable { description } => (
            format!("{description} no admite devolución."),
            "El encargado decide qué otra cosa se ofrece.",
        ),
        Refusal::AlreadyReturned { description, left } => (
            format!(
                "{description}: aún se pueden devolver {}.",
                Language::Spanish.decimal(left)
            ),
            "Anule la línea y no admita más que eso.",
        ),
        Refusal::NotIdentified => (
            "Sin ticket solo se admite una devolución de quien se haya identificado.".to_owned(),
            "Indique el cliente de la venta o diga qué documento se ha mostrado.",
        ),
        Refusal::ReturnLimit { left } => (
            format!("Sin ticket no se devuelven más de {}.", amount(left)),
            "Pida el ticket o admita menos. El límite figura en los ajustes de la tienda.",
        ),
        Refusal::RefundLimit { tender: kind, left } => (
            format!(
                "Sin ticket no se devuelven más de {} con {}.",
                amount(left),
                tender(kind)
            ),
            "Devuelva el resto de otra forma permitida o anule la línea.",
        ),
        Refusal::KitStock { description } => (
            format!("{description} es un lote: en existencias están sus piezas."),
            "Mueva sus piezas.",
        ),
        Refusal::PlaceNeeded => (
            "Un traspaso nombra la tienda a la que va o de la que viene.".to_owned(),
            "Diga qué tienda, por su nombre o número.",
        ),
        Refusal::InTraining => (
            "Esta caja está en formación.".to_owned(),
            "Termine antes la formación.",
        ),
        Refusal::NotInTraining => (
            "Esta caja no está en formación.".to_owned(),
            "Siga vendiendo.",
        ),
        Refusal::ReturnLine => (
            "Esa línea recoge una devolución.".to_owned(),
            "Anule la línea y recoja la devolución de nuevo.",
        ),
        Refusal::OverTender { left } => (
            format!("No se pueden aceptar más de {}.", amount(left)),
            "Acepte esa cantidad. Los ajustes de la tienda dicen con qué formas de pago se da cambio.",
        ),
        Refusal::TenderTooSmall {
            tender: kind,
            least,
        } => (
            format!("Con {} se pagan al menos {}.", tender(kind), amount(least)),
            TAKE_THAT,
        ),
        Refusal::TenderTooLarge { tender: kind, left } => (
            format!(
                "Con {} no se pueden pagar más de {} en esta venta.",
                tender(kind),
                amount(left)
            ),
            TAKE_THAT,
        ),
        Refusal::TenderWhole { tender: kind, left } => (
            format!(
                "Con {} se pagan los {} enteros.",
                tender(kind),
                amount(left)
            ),
            TAKE_THAT,
        ),
        Refusal::NotForRefunds => (
            "De esa forma no se devuelve dinero.".to_owned(),
            "Devuelva en efectivo o como saldo a favor, o descuéntelo de la cuenta.",
        ),
        Refusal::CurrencyNotTaken { currency } => (
            format!("{currency} no se acepta aquí."),
            "Acepte una divisa que tenga cambio en los ajustes de la tienda.",
        ),
        Refusal::BadNumber => (
            "Ese número no se puede guardar.".to_owned(),
            "Escriba letras, cifras y guiones, 40 como máximo, y ningún número de tarjeta.",
        ),
        Refusal::UnknownCredit { number } => (
            format!("No hay ninguna nota de abono {number}."),
            "Compruebe el número de la nota.",
        ),
        Refusal::CreditTooSmall { left } => (
            format!("En la nota de abono quedan {}.", amount(left)),
            REST_OTHERWISE,
        ),
        Refusal::UnknownGiftCard { number } => (
            format!("No hay ninguna tarjeta regalo {number}."),
            "Compruebe el número de la tarjeta; tiene saldo una vez vendida y pagada.",
        ),
        Refusal::GiftCardTooSmall { left } => (
            format!("En la tarjeta regalo quedan {}.", amount(left)),
            REST_OTHERWISE,
        ),
        Refusal::GiftCardCutOff => (
            "Esta caja está aislada de la tienda: la tarjeta regalo puede gastarse en otra."
                .to_owned(),
            UNTIL_TOGETHER,
        ),
        Refusal::GiftCardNeeded { description, .. } => (
            format!("{description} se carga en una tarjeta, cuyo número hace falta."),
            "Escanee o escriba el número de la tarjeta.",
        ),
        Refusal::GiftCardLine { description } => (
            format!("{description} cuesta lo que se carga en la tarjeta."),
            "Anule la línea y cargue otro importe.",
        ),
        Refusal::NoPoints => (
            "Con puntos no se paga nada en esta venta.".to_owned(),
            "Indique antes el cliente. Lo que valen los puntos figura en los ajustes de la tienda.",
        ),
        Refusal::PointsTooFew { points, step } => (
            format!("El cliente tiene {points} puntos, y se paga con {step} como mínimo."),
            "No use más que esos y cobre el resto de otra forma.",
        ),
        Refusal::PointsCutOff => (
            "Esta caja está aislada de la tienda: los puntos pueden gastarse en otra.".to_owned(),
            UNTIL_TOGETHER,
        ),
        Refusal::NoAccount => (
            "La venta no tiene ningún cliente que pueda comprar a cuenta.".to_owned(),
            "Indique antes el cliente o use otra forma de pago.",
        ),
        Refusal::NoSuchTender { number } => (
            format!("No hay ningún pago {number} en esta venta."),
            "Elija un pago de los que se muestran.",
        ),
        Refusal::NoTerminal => (
            "Esta caja no tiene datáfono.".to_owned(),
            "Use otra forma de pago. El datáfono se le indica a la caja al arrancar.",
        ),
        Refusal::CardOpen { amount: open } => (
            format!("El datáfono está cobrando {}.", amount(open)),
            "Espere su respuesta. Se puede cancelar y, si queda en duda, lo decide una persona.",
        ),
        Refusal::NoCardOpen => (
            "No se le pide nada al datáfono.".to_owned(),
            "Siga con la venta.",
        ),
        Refusal::CardPaid { number } => (
            format!("El pago {number} se hizo con tarjeta."),
            "Devuelva antes ese pago.",
        ),
        Refusal::CardRefunded => (
            "Eso se devolvió a la tarjeta.".to_owned(),
            "Termine la devolución; una venta nueva puede volver a cargar la tarjeta.",
        ),
        Refusal::NoCardToRefund => (
            "Ninguna tarjeta pagó lo que se devuelve, o ya se le devolvió todo.".to_owned(),
            "Devuelva el resto en efectivo o como saldo a favor.",
        ),
        Refusal::NoTips => (
            "Aquí no se aceptan propinas.".to_owned(),
            "Cobre sin propina. Los ajustes de la tienda pueden permitirlas.",
        ),
    }
}

const TAKE_THAT: &str =
    "Acepte esa cantidad u otra forma de pago. Así lo dicen los ajustes de la tienda.";
const REST_OTHERWISE: &str = "Acepte esa cantidad y cobre el resto de otra forma.";
const UNTIL_TOGETHER: &str =
    "Use otra forma de pago o aparque la venta hasta que las cajas vuelvan a estar unidas.";

fn why(why: &Why) -> String {
    match why {
        Why::Money(error) => amount_error(error),
        Why::Quantity(error) => quantity_error(error),
        Why::Code(error) => code_error(error),
        Why::Field { field, .. } => format!("se escribe así: {}", field_form(*field)),
        Why::LooksLikeCard => "parece el número de una tarjeta de pago".to_owned(),
        Why::CardNumber => {
            "Eso parece un número de tarjeta, y no se puede guardar ninguno.".to_owned()
        }
        Why::CouponNoGoods => "Eso es un cupón y no un artículo.".to_owned(),
        Why::GoodFrom(from) => format!("desde el {}", day(from)),
        Why::GoodUntil(until) => format!("hasta el {}", day(until)),
        Why::Negative(what) => format!("{} es negativo.", amount(what)),
        Why::LineTooDear { quantity, price } => format!(
            "{} a {} es más de lo que puede costar una línea.",
            Language::Spanish.decimal(&quantity.to_string()),
            amount(price)
        ),
        Why::TendersFull(most) => format!("Una venta se paga en {most} partes como máximo."),
        Why::TooMuchCash(what) => {
            format!("{} es más efectivo del que cabe en un cajón.", amount(what))
        }
        Why::GiveBackAtMost(most) => format!("Hay que devolver {} como máximo.", amount(most)),
        Why::NothingHandedOver => "No se ha entregado nada.".to_owned(),
        Why::SayHowMuch(currency) => format!("Diga cuánto se ha entregado en {currency}."),
        Why::ForeignNotTaken(given) => format!(
            "No se pueden aceptar {} {}.",
            amount(given),
            given.currency()
        ),
        Why::NoRate(currency) => format!("El cambio de {currency} no se puede usar."),
        Why::NothingToCharge => "No hay nada que cobrar.".to_owned(),
        Why::TipTooLarge => "Una propina no supera lo que se paga.".to_owned(),
        Why::ToCard(most) => format!("A esa tarjeta se devuelven de 0,01 a {}.", amount(most)),
        Why::NothingMoved => "No se movería nada.".to_owned(),
        Why::MoreThanInDrawer(what) => {
            format!(
                "{} es más de lo que debería haber en el cajón.",
                amount(what)
            )
        }
        Why::MoreThanHeld(what) => format!("{} es más de lo que cabe en un cajón.", amount(what)),
        Why::CountTooLong(most) => format!("Un recuento tiene {most} valores como máximo."),
        Why::NotCountable { pieces, value } => {
            format!("No se pueden contar {pieces} piezas de {value}.")
        }
        Why::PointSteps(one) => format!("Los puntos pagan en tramos de {}.", amount(one)),
        Why::NothingCharged => "No se cobraría nada.".to_owned(),
        Why::DiscountsFull(most) => {
            format!("En una venta se dan {most} descuentos como máximo.")
        }
        Why::PercentOrAmount => "Indique un porcentaje o un importe, no ambos.".to_owned(),
        Why::NothingOff => "No se descontaría nada.".to_owned(),
        Why::CouponsOneByOne => "Los cupones se entregan de uno en uno.".to_owned(),
        Why::PiecesOneByOne => {
            "Cada pieza tiene su propio número: véndalas de una en una.".to_owned()
        }
        Why::OnlyPacking { gross, grams } => format!(
            "{} no supera el embalaje de {grams} g.",
            Language::Spanish.decimal(&gross.to_string())
        ),
        Why::NotesFull(most) => format!("Ya hay {most} notas."),
        Why::NoteEmpty => "La nota está vacía.".to_owned(),
        Why::DocumentTooLong(most) => {
            format!("Un documento se nombra en {most} caracteres como máximo.")
        }
        Why::Told(words) => words.clone(),
    }
}

fn amount_error(error: &MoneyError) -> String {
    match error {
        MoneyError::NotACurrency(text) => {
            format!("«{text}» no es una moneda: escriba su código ISO 4217, como EUR")
        }
        MoneyError::NotAnAmount(text) => {
            format!("«{text}» no es un importe: escríbalo así: 12.34")
        }
        MoneyError::TooPrecise {
            text,
            digits,
            currency,
        } => format!("«{text}» tiene más de {digits} decimales, el máximo de {currency}"),
        MoneyError::OutOfRange(text) => format!("«{text}» está fuera de lo posible"),
        MoneyError::NotARate(text) => {
            format!("«{text}» no es un tipo: escriba un porcentaje de 0 a 100, como 8.25")
        }
    }
}

fn quantity_error(error: &QuantityError) -> String {
    match error {
        QuantityError::NotAQuantity(text) => {
            format!("«{text}» no es una cantidad: escriba un número como 3 o 0.455")
        }
        QuantityError::OutOfRange(text) => format!(
            "«{text}» está fuera de lo posible: una cantidad es mayor que 0 y 100000 como máximo"
        ),
        QuantityError::NotWhole(text) => {
            format!("Este artículo se vende por piezas: «{text}» debe ser un número entero")
        }
        QuantityError::TooPrecise(text) => {
            format!("«{text}» tiene más de tres decimales, más fino que un gramo")
        }
    }
}

fn code_error(error: &CodeError) -> String {
    match error {
        CodeError::Empty => "No se ha escaneado nada".to_owned(),
        CodeError::WrongCheckDigit { text, expected } => {
            format!("El dígito de control de {text} no coincide (sería {expected})")
        }
        CodeError::TooLong => {
            "El código es demasiado largo: escanee un solo código cada vez".to_owned()
        }
        CodeError::NotACode(text) => {
            format!("«{text}» no es un código: solo cifras, letras y guiones")
        }
        CodeError::NotAPlu(text) => format!(
            "{text} no es un código PLU: van de 3000 a 4999, algunos con un 8 o un 9 delante"
        ),
        CodeError::NothingEmbedded(text) => {
            format!("La etiqueta {text} no lleva precio ni peso: pese de nuevo o escriba el precio")
        }
        CodeError::WrongValueDigit {
            text,
            found,
            expected,
        } => format!(
            "El precio o el peso en {text} se leyó mal (dígito de control {found}, sería {expected})"
        ),
        CodeError::WrongElement { ai, .. } => {
            format!("La parte ({ai}) del código no se puede usar")
        }
    }
}

fn field_name(field: CustomerField) -> &'static str {
    match field {
        CustomerField::Name => "Nombre",
        CustomerField::Phone => "Teléfono",
        CustomerField::Email => "Correo electrónico",
        CustomerField::Birthday => "Cumpleaños",
        CustomerField::Consent => "Consentimiento",
        CustomerField::Tier => "Nivel",
        CustomerField::Groups => "Grupos",
        CustomerField::Contracts => "Contratos",
        CustomerField::Employee => "Empleado",
        CustomerField::OnAccount => "Compra a cuenta",
        CustomerField::Exemption => "Exención fiscal",
    }
}

fn field_form(field: CustomerField) -> &'static str {
    match field {
        CustomerField::Name => "no vacío, una línea, 200 caracteres como máximo",
        CustomerField::Phone => "un número como +34 955 550 123",
        CustomerField::Email => "una dirección como ada@example.org",
        CustomerField::Birthday => "mes y día, como 04-27",
        CustomerField::Consent | CustomerField::Groups | CustomerField::Contracts => {
            "20 nombres como máximo, separados por espacios, como club-a club-b"
        }
        CustomerField::Tier => "basic, silver o gold",
        CustomerField::Employee | CustomerField::OnAccount => "yes o no",
        CustomerField::Exemption => "una línea, 200 caracteres como máximo",
    }
}
