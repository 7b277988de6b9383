// RUN: lamina-opt %s | lamina-opt | filecheck %s
// RUN: lamina-opt %s --print-op-generic | lamina-opt | filecheck %s
// RUN: lamina-opt %s -p cse,canonicalize,dce | filecheck %s

// CHECK-LABEL: func.func @a_contraction_prints_as_written
// CHECK-NEXT:    te.compute
// CHECK-NEXT:      axes(oc: 64, oh: 56, ow: 56 unroll, reduce ic: 64, reduce kh: 3, reduce kw: 3)
// CHECK-NEXT:      ins(%x[ic floordiv 16, kh + oh - 1, kw + ow - 1, ic mod 16] pad 0.0, %w[oc, ic, kh, kw])
// CHECK-NEXT:      extras(%bias[oc])
// CHECK-NEXT:      out(%y[(oc + 32) floordiv 16, oh + 1, ow + 1, oc mod 16])
// CHECK-NEXT:      init 0.000000e+00 : f32
// CHECK-NEXT:      schedule [split oc 16 oco oci, order oco oh ow ic kh kw oci, parallel oh, unroll ow, vector oci]
// CHECK-NEXT:      attributes {node = "first"}
// CHECK-NEXT:      : memref<4x56x56x16xf32>, memref<64x64x3x3xf32>, memref<64xf32>, memref<6x58x58x16xf32> (%a: f32, %b: f32, %acc: f32) {
// CHECK-NEXT:      %p = arith.mulf %a, %b : f32
// CHECK-NEXT:      %s = arith.addf %acc, %p : f32
// CHECK-NEXT:      te.yield %s : f32
// CHECK-NEXT:    } epilogue (%v: f32, %c: f32) {
// CHECK-NEXT:      %t = arith.addf %v, %c : f32
// CHECK-NEXT:      te.yield %t : f32
// CHECK-NEXT:    }
func.func @a_contraction_prints_as_written(%x: memref<4x56x56x16xf32>, %w: memref<64x64x3x3xf32>, %bias: memref<64xf32>, %y: memref<6x58x58x16xf32>) {
  te.compute
    axes(oc: 64, oh: 56, ow: 56 unroll, reduce ic: 64, reduce kh: 3, reduce kw: 3)
    ins(%x[ic floordiv 16, oh + kh - 1, ow + kw - 1, ic mod 16] pad 0.0, %w[oc, ic, kh, kw]) extras(%bias[oc])
    out(%y[(oc + 32) floordiv 16, oh + 1, ow + 1, oc mod 16])
    init 0.0 : f32
    schedule [split oc 16 oco oci, order oco oh ow ic kh kw oci, parallel oh, unroll ow, vector oci]
    attributes {node = "first"}
    : memref<4x56x56x16xf32>, memref<64x64x3x3xf32>, memref<64xf32>, memref<6x58x58x16xf32>
    (%a: f32, %b: f32, %acc: f32) {
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %acc, %p : f32
      te.yield %s : f32
    } epilogue (%v: f32, %c: f32) {
      %t = arith.addf %v, %c : f32
      te.yield %t : f32
    }
  func.return
}

// CHECK-LABEL: func.func @an_epilogue_that_does_nothing_is_not_printed
// CHECK:         init 0xff800000 : f32
// CHECK-NEXT:    : memref<8xf32>, memref<f32> (%a: f32, %acc: f32) {
// CHECK-NEXT:      %m = arith.maximumf %acc, %a : f32
// CHECK-NEXT:      te.yield %m : f32
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
func.func @an_epilogue_that_does_nothing_is_not_printed(%x: memref<8xf32>, %y: memref<f32>) {
  te.compute axes(reduce i: 8) ins(%x[i]) out(%y[]) init 0xff800000 : f32
    : memref<8xf32>, memref<f32>
    (%a: f32, %acc: f32) {
      %m = arith.maximumf %acc, %a : f32
      te.yield %m : f32
    } epilogue (%v: f32) { te.yield %v : f32 }
  func.return
}

// CHECK-LABEL: func.func @names_from_loops_outside_are_bound_by_at
// CHECK:         te.compute at(r = %row)
// CHECK-NEXT:      axes(j: 3 vector) where j + r * 3 < 10
// CHECK-NEXT:      ins(%x[j + r * 3])
func.func @names_from_loops_outside_are_bound_by_at(%x: memref<10xf32>, %y: memref<10xf32>) {
  loop.for %row < 4 {
    te.compute at(r = %row) axes(j: 3 vector) where r * 3 + j < 10 ins(%x[r * 3 + j]) out(%y[r * 3 + j])
      init 0.0 : f32 : memref<10xf32>, memref<10xf32>
      (%a: f32, %acc: f32) { te.yield %a : f32 }
  }
  func.return
}

// Where a place depends on such a name, nothing is known, although a mod has limits.
// CHECK-LABEL: func.func @place_in_a_loop_outside_is_not_known
// CHECK:           ins(%x[(j + r * 3) mod 12])
func.func @place_in_a_loop_outside_is_not_known(%x: memref<10xf32>, %y: memref<10xf32>) {
  loop.for %row < 4 {
    te.compute at(r = %row) axes(j: 3 vector) where r * 3 + j < 10 ins(%x[(r * 3 + j) mod 12]) out(%y[r * 3 + j])
      init 0.0 : f32 : memref<10xf32>, memref<10xf32>
      (%a: f32, %acc: f32) { te.yield %a : f32 }
  }
  func.return
}

// CHECK-LABEL: func.func @any_padding_keeps_its_value
// CHECK:         ins(%x[i - 1] pad -inf, %x[i - 1] pad 0.1, %x[i - 1] pad -3.4028234663852886e+38, %x[i - 1] pad 1.0e-07, %x[i - 1] pad nan)
func.func @any_padding_keeps_its_value(%x: memref<4xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4)
    ins(%x[i - 1] pad -inf, %x[i - 1] pad 0.1, %x[i - 1] pad -3.4028234663852886e+38, %x[i - 1] pad 1.0e-7, %x[i - 1] pad nan)
    out(%y[i]) init 0.0 : f32
    : memref<4xf32>, memref<4xf32>, memref<4xf32>, memref<4xf32>, memref<4xf32>, memref<4xf32>
    (%a: f32, %b: f32, %c: f32, %d: f32, %e: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// CHECK-LABEL: func.func @a_group_of_4_bytes_is_one_argument
// CHECK:         (%a: vector<4xi8>, %b: vector<4xi8>, %acc: i32) {
func.func @a_group_of_4_bytes_is_one_argument(%x: memref<32xi8>, %w: memref<8x16x4xi8>, %y: memref<16xi32>) {
  te.compute axes(o: 16, reduce k: 8) ins(%x[k * 4], %w[k, o, 0]) out(%y[o]) init 0 : i32
    : memref<32xi8>, memref<8x16x4xi8>, memref<16xi32>
    (%a: vector<4xi8>, %b: vector<4xi8>, %acc: i32) {
      %s = int8.dot4 %acc, %a, %b : i32, vector<4xi8>, vector<4xi8>
      te.yield %s : i32
    }
  func.return
}

// CHECK-LABEL: func.func @a_table_is_a_constant
// CHECK-NEXT:    %t = te.constant dense<[1.000000e+00, -1.000000e+00]> : tensor<2xf32> -> memref<2xf32>
// CHECK:         ins(%t[i])
func.func @a_table_is_a_constant(%y: memref<2xf32>) {
  %t = te.constant dense<[1.0, -1.0]> : tensor<2xf32> -> memref<2xf32>
  te.compute axes(i: 2) ins(%t[i]) out(%y[i]) init 0.0 : f32
    : memref<2xf32>, memref<2xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// Generic clean-up knows that it reads %x and writes %y, so neither is dead and the second sees the first.
// CHECK-LABEL: func.func @equal_computations_are_neither_merged_nor_deleted
// CHECK-COUNT-2: te.compute
func.func @equal_computations_are_neither_merged_nor_deleted(%x: memref<2xf32>) {
  te.compute axes(i: 2) ins(%x[i]) out(%x[i]) init 0.0 : f32
    : memref<2xf32>, memref<2xf32>
    (%a: f32, %acc: f32) { %d = arith.addf %a, %a : f32  te.yield %d : f32 }
  te.compute axes(i: 2) ins(%x[i]) out(%x[i]) init 0.0 : f32
    : memref<2xf32>, memref<2xf32>
    (%a: f32, %acc: f32) { %d = arith.addf %a, %a : f32  te.yield %d : f32 }
  func.return
}

// CHECK-LABEL: func.func @unsigned_elements_are_scalars_without_a_sign
// CHECK:         (%a: i8, %b: i1, %acc: i8) {
func.func @unsigned_elements_are_scalars_without_a_sign(%x: memref<2xui8>, %c: memref<2xi1>, %y: memref<2xui8>) {
  te.compute axes(i: 2) ins(%x[i], %c[i]) out(%y[i]) init 0 : i8
    : memref<2xui8>, memref<2xi1>, memref<2xui8>
    (%a: i8, %b: i1, %acc: i8) { te.yield %a : i8 }
  func.return
}

// CHECK-LABEL: func.func @integers_that_are_read_say_where_to_read_on
// CHECK:         ins(%rows[oh] as ih: 56, %columns[ih, ow, kw] as iw: 16, %x[ih, iw floordiv 4, iw mod 4 + 1])
func.func @integers_that_are_read_say_where_to_read_on(%rows: memref<112xi32>, %columns: memref<56x7x3xi64>, %x: memref<56x4x5xf32>, %y: memref<112x7xf32>) {
  te.compute axes(oh: 112, ow: 7, reduce kw: 3)
    ins(%rows[oh] as ih: 56, %columns[ih, ow, kw] as iw: 16, %x[ih, iw floordiv 4, iw mod 4 + 1]) out(%y[oh, ow])
    init 0.0 : f32 : memref<112xi32>, memref<56x7x3xi64>, memref<56x4x5xf32>, memref<112x7xf32>
    (%i: i32, %j: i64, %a: f32, %acc: f32) { %s = arith.addf %acc, %a : f32  te.yield %s : f32 }
  func.return
}
